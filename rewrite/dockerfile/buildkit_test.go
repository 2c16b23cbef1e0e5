package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"sockguard/rewrite"
)

// oracleEngine reads like the BuildKit that the tests import.
var oracleEngine = rewrite.EngineVersion{Major: 29, Minor: 0}

// env is a shell.EnvGetter.
type env map[string]string

func (e env) Get(k string) (string, bool) { v, ok := e[k]; return v, ok }
func (e env) Keys() []string              { return slices.Collect(maps.Keys(e)) }

// owned is an environment where every variable spells "owner".
type owned struct{}

func (owned) Get(string) (string, bool) { return "owner", true }
func (owned) Keys() []string            { return nil }

// quiet is a linter: without one, a comment that configures it is a panic.
func quiet() *linter.Linter { return linter.New(&linter.Config{}) }

// classic is what the classic builder makes of a file, by BuildKit's parser,
// instructions and lexer.
type classic struct {
	nodes  []*parser.Node
	escape rune
	stages []instructions.Stage
	refs   []ImageRef
}

func readClassic(text string, o Options) (*classic, error) {
	r, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := &classic{nodes: r.AST.Children, escape: r.EscapeToken}
	stages, metas, err := instructions.Parse(r.AST, quiet())
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 {
		return nil, errors.New("no stage")
	}
	if o.Target != "" {
		i, ok := instructions.HasStage(stages, o.Target)
		if !ok {
			return nil, errors.New("no target")
		}
		stages = stages[:i+1]
	}
	c.stages = stages
	vars, err := c.metaArgs(metas, o.BuildArgs)
	if err != nil {
		return nil, err
	}
	return c, c.resolve(vars)
}

func (c *classic) metaArgs(metas []instructions.ArgCommand, given map[string]*string) (env, error) {
	vars := env{}
	for k, v := range given {
		if strings.HasSuffix(strings.ToLower(k), "_proxy") && v != nil {
			vars[k] = *v
		}
	}
	for _, m := range metas {
		seen := maps.Clone(vars)
		err := m.Expand(func(word string) (string, error) {
			v, _, err := shell.NewLex(c.escape).ProcessWord(word, seen)
			return v, err
		})
		if err != nil {
			return nil, err
		}
		for _, a := range m.Args {
			switch v := given[a.Key]; {
			case v != nil:
				vars[a.Key] = *v
			case a.Value != nil:
				vars[a.Key] = *a.Value
			default:
				delete(vars, a.Key)
			}
		}
	}
	return vars, nil
}

// resolve finds the images of all stages.
func (c *classic) resolve(vars env) error {
	names := map[string]int{}
	for i, s := range c.stages {
		if _, taken := names[s.Name]; taken && s.Name != "" {
			return errors.New("name taken")
		}
		lex := shell.NewLex(c.escape)
		platform, _, err := lex.ProcessWord(s.Platform, vars)
		if err != nil || platform == "" && s.Platform != "" {
			return fmt.Errorf("platform %v", err)
		}
		base, _, err := lex.ProcessWord(s.BaseName, vars)
		if err != nil || base == "" {
			return fmt.Errorf("base %v", err)
		}
		if from, ok := names[strings.ToLower(base)]; ok {
			if err := c.triggers(c.stages[from], names, i); err != nil {
				return err
			}
			c.stages[from].Commands = nil // the first time tells
		} else if base != "scratch" {
			c.refs = append(c.refs, ImageRef{Line: s.Location[0].Start.Line, Ref: base, Platform: platform, From: true})
		}
		for _, cmd := range s.Commands {
			if copied, ok := cmd.(*instructions.CopyCommand); ok {
				if err := c.copied(copied, copied.Location()[0].Start.Line, names, i); err != nil {
					return err
				}
			}
		}
		if s.Name != "" {
			names[s.Name] = i
		}
	}
	return nil
}

// triggers runs the ONBUILDs of a stage that a later stage starts from.
func (c *classic) triggers(s instructions.Stage, names map[string]int, current int) error {
	for _, cmd := range s.Commands {
		on, ok := cmd.(*instructions.OnbuildCommand)
		if !ok {
			continue
		}
		r, err := parser.Parse(strings.NewReader(on.Expression))
		if err != nil || len(r.AST.Children) != 1 {
			return fmt.Errorf("trigger %v", err)
		}
		cmd, err := instructions.ParseInstructionWithLinter(r.AST.Children[0], quiet())
		if err != nil {
			return err
		}
		if copied, ok := cmd.(*instructions.CopyCommand); ok {
			if err := c.copied(copied, on.Location()[0].Start.Line, names, current); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *classic) copied(cmd *instructions.CopyCommand, line int, names map[string]int, current int) error {
	if _, ok := names[strings.ToLower(cmd.From)]; ok || cmd.From == "" {
		return nil
	}
	if i, err := strconv.ParseInt(cmd.From, 10, 0); err == nil {
		if i < 0 || int(i) >= current {
			return errors.New("index")
		}
		return nil
	}
	c.refs = append(c.refs, ImageRef{Line: line, Ref: cmd.From})
	return nil
}

// sets reports whether a LABEL or ONBUILD LABEL node can set the key owner in
// an environment.
func sets(n *parser.Node, escapes []rune, envs ...shell.EnvGetter) bool {
	switch strings.ToLower(n.Value) {
	case "onbuild":
		cmd, err := instructions.ParseInstructionWithLinter(n, quiet())
		if err != nil {
			return false
		}
		r, err := parser.Parse(strings.NewReader(cmd.(*instructions.OnbuildCommand).Expression))
		return err == nil && len(r.AST.Children) == 1 && sets(r.AST.Children[0], []rune{'\\', '`'}, envs...)
	case "label":
		cmd, err := instructions.ParseInstructionWithLinter(n, quiet())
		if err != nil {
			return false
		}
		for _, l := range cmd.(*instructions.LabelCommand).Labels {
			for _, escape := range escapes {
				for _, e := range envs {
					key, _, err := shell.NewLex(escape).ProcessWord(l.Key, e)
					if err == nil && key == "owner" {
						return true
					}
				}
			}
		}
	}
	return false
}

// wary are words of refusals that hit files the engine builds.
var wary = []string{"sockguard sets", "disagree", "ONBUILD", "fit one line", "ends in an escape", "the key", "not supported"}

// checkOracle rewrites in and compares the result with what BuildKit reads. It
// returns whether the file was accepted.
func checkOracle(t *testing.T, in string, o Options) bool {
	t.Helper()
	o.Engine, o.Labels, o.Guarded = oracleEngine, []rewrite.Label{{Key: "owner", Value: "me"}}, []string{"owner"}
	var refs []ImageRef
	o.Image = func(r ImageRef) (Image, error) { refs = append(refs, r); return Image{}, nil }
	source, sourceErr := readClassic(in, o)
	s, err := Rewrite("Dockerfile", []byte(in), o)
	if err != nil {
		if sourceErr == nil && !slices.ContainsFunc(wary, func(w string) bool { return strings.Contains(err.Error(), w) }) {
			t.Errorf("refused, but the engine builds it: %v\n%q", err, in)
		}
		return false
	}
	out := string(s.Text)
	result, resultErr := readClassic(out, o)
	if (sourceErr == nil) != (resultErr == nil) {
		t.Errorf("the engine says %v, of the result %v\n%q\n%q", sourceErr, resultErr, in, out)
		return true
	}
	if again, err := Rewrite("Dockerfile", s.Text, Options{Engine: o.Engine, BuildArgs: o.BuildArgs, Target: o.Target}); err != nil || !bytes.Equal(again.Text, s.Text) {
		t.Errorf("reading the result again: %v\n%q\n%q", err, in, out)
	}
	if sourceErr != nil {
		return true
	}
	if diff := cmp.Diff(source.refs, refs); diff != "" {
		t.Errorf("references (-engine +got)\n%s%q", diff, in)
	}
	compareNodes(t, in, s, source, result)
	return true
}

// compareNodes demands that the result's instructions are the source's and our
// LABELs, one behind every FROM, and that no other LABEL sets the key.
func compareNodes(t *testing.T, in string, s *Scanned, source, result *classic) {
	t.Helper()
	var rest []*parser.Node
	for i, n := range result.nodes {
		ours := slices.Contains(s.Inserted, n.StartLine)
		if ours != (i > 0 && strings.EqualFold(result.nodes[i-1].Value, "from")) {
			t.Errorf("line %d of the result: inserted is %v\n%q\n%q", n.StartLine, ours, in, s.Text)
		}
		if ours {
			if n.Original != "LABEL 'owner'='me'" {
				t.Errorf("inserted %q\n%q", n.Original, in)
			}
			continue
		}
		if sets(n, []rune{result.escape}, env{}, owned{}, env{"X": "o", "x": "wner"}) {
			t.Errorf("line %d sets the key\n%q", n.StartLine, in)
		}
		rest = append(rest, n)
	}
	if len(rest) != len(source.nodes) {
		t.Errorf("%d instructions, want %d\n%q\n%q", len(rest), len(source.nodes), in, s.Text)
		return
	}
	for i, n := range source.nodes {
		m := rest[i]
		if n.Dump() != m.Dump() || strings.TrimSpace(n.Original) != strings.TrimSpace(m.Original) || !slices.Equal(n.Heredocs, m.Heredocs) {
			t.Errorf("instruction %q became %q\n%q", n.Original, m.Original, in)
		}
		if got := s.SourceLine(m.StartLine); got != n.StartLine {
			t.Errorf("line %d of the result is said to be %d, is %d\n%q", m.StartLine, got, n.StartLine, in)
		}
	}
}
