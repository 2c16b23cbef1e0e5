package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile/shellword"
)

// parsed is what a reading finds in a Dockerfile.
type parsed struct {
	naming []naming // in the order of the file
	refs   []reference
}

// A naming is an instruction that names an image or a stage: a FROM, a COPY
// --from, or an ONBUILD of such a COPY.
type naming struct {
	span
	from       bool   // a FROM
	text       string // the instruction on one line
	base, rest int    // offsets in text of the image, with its flag, and of what follows it
	name       string // of the stage that a FROM begins, lower-cased
	step       int    // the instruction's number, ARGs before the first FROM included
	dropped    bool   // it stands after the target
}

// A reference is an image that the file names.
type reference struct {
	ImageRef
	at int // index of its instruction in parsed.naming
}

// A reader reads one Dockerfile in one reading.
type reader struct {
	*reading
	scanner
	o    *Options
	step int // number of the instruction being read
	args metaArgs
	stages
	parsed
}

// A lineError is the reason of a refusal, with its line.
type lineError struct {
	line int
	err  error
}

func (e *lineError) in(name string) error { return rewrite.Refusef(name, e.line, "%v", e.err) }

// rejected is an error for which an engine fails the build before its first step.
type rejected struct{ error }

// rejects reports whether an engine whose reading ended in e builds nothing.
func (e *lineError) rejects() bool {
	if e == nil {
		return false
	}
	_, ok := errors.AsType[rejected](e.err)
	return ok
}

// parse reads a Dockerfile.
func (r *reading) parse(text []byte, o *Options) (*parsed, *lineError) {
	p := &reader{
		reading: r,
		scanner: scanner{lines: lines{text: text, oneCR: r.oneCR}, directives: directives{escape: '\\', check: r.check}},
		o:       o,
		args:    metaArgs{values: map[string]*string{}, given: o.BuildArgs, allProxy: r.allProxy},
		stages:  stages{names: map[string]int{}},
	}
	var in instruction
	for {
		ok, err := p.scanner.next(&in)
		if err != nil {
			return nil, &lineError{p.line, err}
		}
		if !ok {
			break
		}
		p.step++
		if err := p.instruction(&in); err != nil {
			return nil, &lineError{in.line, err}
		}
	}
	switch {
	case p.long:
		return nil, &lineError{p.line, fmt.Errorf("a line of %d bytes or more", maxLine)}
	case p.step == 0:
		return nil, &lineError{0, errors.New("a file with no instructions")}
	case len(p.list) == 0:
		return nil, &lineError{0, errors.New("a file with no FROM")}
	case o.Target != "" && !p.reached:
		return nil, &lineError{0, fmt.Errorf("there is no stage named %s to stop at", o.Target)}
	}
	return &p.parsed, nil
}

// instruction reads one instruction with its here-documents. It runs for every
// line of a file, so it copies only what it looks into.
func (p *reader) instruction(in *instruction) error {
	keyword := in.text
	if end := bytes.IndexAny(keyword, shellword.Blanks); end >= 0 {
		keyword = keyword[:end]
	}
	cmd, ok := command(string(keyword))
	if !ok {
		return rejected{fmt.Errorf("unknown instruction %.40q", keyword)}
	}
	if len(p.list) == 0 && cmd != "from" && cmd != "arg" {
		return errors.New("only ARG may stand before the first FROM")
	}
	switch cmd {
	case "from":
		return p.from(in)
	case "arg":
		if len(p.list) == 0 {
			return p.metaArg(in)
		}
	case "label":
		flags, args := p.arguments(in)
		return p.label(flags, args, rune(p.escape), string(rune(p.escape)))
	case "onbuild":
		return p.onbuild(in)
	case "copy":
		if bytes.Contains(in.text, []byte("--")) {
			if err := p.copyFrom(in); err != nil {
				return err
			}
		}
		fallthrough
	case "add", "run":
		if p.mayHeredoc(in.text) {
			_, args := p.arguments(in)
			return p.skipHeredocs(in, args)
		}
	}
	return nil
}

// command returns a keyword in lower case, and whether engines know it. As in the
// engine, case folds by Unicode: İ is an i and the Kelvin sign is a k.
func command(keyword string) (name string, ok bool) {
	name = strings.ToLower(keyword)
	switch name {
	case "add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label",
		"maintainer", "onbuild", "run", "shell", "stopsignal", "user", "volume", "workdir":
		return name, true
	}
	return name, false
}

// escapeOfFlags is the escape that counts in flags.
func (p *reader) escapeOfFlags() byte {
	if p.flagEscape {
		return p.escape
	}
	return '\\'
}

// arguments splits what follows the keyword of an instruction.
func (p *reader) arguments(in *instruction) (flags []shellword.Flag, rest string) {
	_, args := shellword.Cut(string(in.text))
	return shellword.Flags(args, p.escapeOfFlags())
}

// skipHeredocs reads the here-documents of an instruction.
func (p *reader) skipHeredocs(in *instruction, args string) error {
	docs, err := p.heredocsOf(string(in.raw), args)
	if err != nil {
		return err
	}
	for _, d := range docs {
		if !p.skip(d) {
			return rejected{fmt.Errorf("the here-document %s has no end", d.name)}
		}
	}
	return nil
}
