// Command oracle reads Dockerfiles as one version of BuildKit does: with its
// parser, its instructions and its lexer of words. The tests of package
// dockerfile run one oracle for each engine, with the module files in engines:
//
//	go run -modfile engines/28.5.mod .
//
// It reads a stream of JSON requests and answers each with one JSON value.
//
// The name of a module file is the first engine with that BuildKit; 30.0 stands
// for the newest BuildKit, which no engine has yet. To add an engine, copy the
// newest file, set the version that moby's vendor.mod names, and run
//
//	go mod tidy -modfile engines/NAME.mod
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// A request is one Dockerfile and the parameters of its build.
type request struct {
	Text   []byte
	Target string
	Args   map[string]*string
}

// An answer is what the engine makes of a Dockerfile. Err is why it refuses it
// before it builds anything.
type answer struct {
	Err   string `json:",omitempty"`
	Nodes []node
	Refs  []ref
}

// A node is one instruction.
type node struct {
	Line     int
	Command  string
	Original string
	Dump     string      // all that the parser knows of it
	Owner    bool        // it is a LABEL or ONBUILD LABEL that can set the key "owner"
	Labels   [][2]string // of a LABEL, where every variable is "owner"
	From     string      // of a COPY, or of an ONBUILD COPY
}

// A ref is an image that a FROM or a COPY --from names.
type ref struct {
	Line          int
	Ref, Platform string
	From          bool
}

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r request
		if err := in.Decode(&r); err == io.EOF {
			return
		} else if err != nil {
			panic(err)
		}
		if err := out.Encode(read(&r)); err != nil {
			panic(err)
		}
	}
}

// read answers one request. A panic of the parser counts as an error.
func read(r *request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Err: fmt.Sprint("panic: ", p)}
		}
	}()
	parsed, err := parser.Parse(strings.NewReader(string(r.Text)))
	if err != nil {
		return answer{Err: err.Error()}
	}
	for _, child := range parsed.AST.Children {
		n := node{
			Line: child.StartLine, Command: strings.ToLower(child.Value), Original: child.Original,
			Dump: child.Dump() + fmt.Sprint(reflect.ValueOf(*child).FieldByName("Heredocs")),
		}
		if cmd, err := instruction(child); err == nil {
			n.judge(cmd, parsed.EscapeToken)
		}
		a.Nodes = append(a.Nodes, n)
	}
	b := builder{request: r, escape: parsed.EscapeToken}
	if err := b.build(parsed.AST.Children); err != nil {
		a.Err = err.Error()
	}
	a.Refs = b.refs
	return a
}

// instruction types a node. Comments are left out: they only configure the
// linter, which fails without a configuration.
func instruction(n *parser.Node) (any, error) {
	if f := reflect.ValueOf(n).Elem().FieldByName("PrevComment"); f.IsValid() {
		f.SetZero()
	}
	return instructions.ParseInstruction(n)
}

// expand expands the variables of a word. Before engine 27.1 the lexer takes
// the environment as a slice.
func expand(word string, escape rune, vars env) (string, error) {
	f := reflect.ValueOf(shell.NewLex(escape).ProcessWord)
	var e any = vars
	if f.Type().In(1).Kind() == reflect.Slice {
		e = vars.list()
	}
	out := f.Call([]reflect.Value{reflect.ValueOf(word), reflect.ValueOf(e)})
	err, _ := out[len(out)-1].Interface().(error)
	return out[0].String(), err
}

// env is a shell.EnvGetter.
type env map[string]string

func (e env) Get(k string) (string, bool) { v, ok := e[k]; return v, ok }

func (e env) Keys() (keys []string) {
	for k := range e {
		keys = append(keys, k)
	}
	return keys
}

func (e env) list() (list []string) {
	for k, v := range e {
		list = append(list, k+"="+v)
	}
	return list
}

var names = regexp.MustCompile(`[\pL_][\pL\pN_]*|\d+|[@*#?$!-]`)

// owned is an environment where every variable of word is "owner".
func owned(word string) env {
	e := env{}
	for _, name := range names.FindAllString(word, -1) {
		e[name] = "owner"
	}
	return e
}

// judge fills in what matters of an instruction. A LABEL is expanded in a few
// environments. The trigger of an ONBUILD is read with either escape.
func (n *node) judge(cmd any, escapes ...rune) {
	switch cmd := cmd.(type) {
	case *instructions.OnbuildCommand:
		r, err := parser.Parse(strings.NewReader(cmd.Expression))
		if err != nil {
			return
		}
		for _, child := range r.AST.Children {
			if cmd, err := instruction(child); err == nil {
				n.judge(cmd, '\\', '`')
			}
		}
	case *instructions.CopyCommand:
		n.From = cmd.From
	case *instructions.LabelCommand:
		for _, l := range cmd.Labels {
			for _, escape := range escapes {
				for _, e := range []env{owned(l.Key), {}, {"X": "o", "x": "wner"}} {
					key, err := expand(l.Key, escape, e)
					n.Owner = n.Owner || err == nil && key == "owner"
				}
			}
			key, _ := expand(l.Key, escapes[0], owned(l.Key))
			value, err := expand(l.Value, escapes[0], owned(l.Value))
			if err != nil {
				value = err.Error()
			}
			n.Labels = append(n.Labels, [2]string{key, value})
		}
	}
}
