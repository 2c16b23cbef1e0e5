package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// A plan is what a reading makes of a Dockerfile.
type plan struct {
	froms []fromLine
	refs  []reference
}

// A fromLine is a FROM instruction.
type fromLine struct {
	line, last int    // physical lines of the source
	start, end int    // bytes of the source
	text       string // the instruction on one line
	joined     bool   // text is more than one physical line of the source
	base, rest int    // offsets in text of the base image and of what follows it
	name       string // of the stage, lower-cased
	step       int    // the instruction's number, ARGs before the first FROM included
	dropped    bool   // it stands behind the stage to stop at
}

// A reference is an image the file names.
type reference struct {
	ImageRef
	from int // index of its FROM in plan.froms; -1 for a COPY --from
}

// A pass reads a Dockerfile once, in one reading.
type pass struct {
	*reading
	*scanner
	o    *Options
	step int // number of the instruction being read
	args metaArgs
	stages
	plan
}

// A lineError is a refusal before it knows its file.
type lineError struct {
	line int
	err  error
}

// rejected is why an engine fails a whole build before anything of it runs.
type rejected struct{ error }

// rejects reports whether the engine whose reading ended in e builds nothing.
func (e *lineError) rejects() bool {
	if e == nil {
		return false
	}
	_, ok := errors.AsType[rejected](e.err)
	return ok
}

func (r *reading) plan(text []byte, o *Options) (*plan, *lineError) {
	p := &pass{reading: r, scanner: newScanner(text, r), o: o}
	p.args = metaArgs{values: map[string]*string{}, given: o.BuildArgs, allProxy: r.allProxy}
	p.names = map[string]int{}
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
	case len(p.froms) == 0:
		return nil, &lineError{0, errors.New("a file with no FROM")}
	case o.Target != "" && !p.reached:
		return nil, &lineError{0, fmt.Errorf("there is no stage named %s to stop at", o.Target)}
	}
	return &p.plan, nil
}

// instruction judges one instruction and reads its here-documents. It runs for
// every line of a file and makes strings only of what it has to look into.
func (p *pass) instruction(in *instruction) error {
	end := 0
	for end < len(in.text) && strings.IndexByte(wordBlanks, in.text[end]) < 0 {
		end++
	}
	cmd := commandOf(string(in.text[:end]))
	if cmd == cmdUnknown {
		return rejected{fmt.Errorf("unknown instruction %.40q", in.text[:end])}
	}
	if len(p.froms) == 0 && cmd != cmdFrom && cmd != cmdArg {
		return errors.New("only ARG may stand before the first FROM")
	}
	switch cmd {
	case cmdFrom:
		return p.from(in)
	case cmdArg:
		if len(p.froms) == 0 {
			return p.metaArg(in)
		}
	case cmdLabel:
		return p.label(in)
	case cmdOnbuild:
		return p.onbuild(in)
	case cmdCopy:
		if bytes.Contains(in.text, []byte("--")) {
			if err := p.copyFrom(in); err != nil {
				return err
			}
		}
		fallthrough
	case cmdAdd, cmdRun:
		if p.mayHeredoc(in.text) {
			_, args := p.arguments(in)
			return p.skipHeredocs(in, args)
		}
	}
	return nil
}

// escapeOfFlags is the escape that counts in flags.
func (p *pass) escapeOfFlags() byte {
	if p.flagEscape {
		return p.escape
	}
	return '\\'
}

// arguments splits an instruction behind its keyword.
func (p *pass) arguments(in *instruction) (flags []string, rest string) {
	_, args := cutWord(string(in.text))
	return cutFlags(args, p.escapeOfFlags())
}

func (p *pass) label(in *instruction) error {
	flags, args := p.arguments(in)
	if len(flags) > 0 {
		return fmt.Errorf("LABEL has no flag %s", flags[0])
	}
	return p.guardLabel(args, rune(p.escape), string(rune(p.escape)))
}

// skipHeredocs reads the here-documents of an instruction.
func (p *pass) skipHeredocs(in *instruction, args string) error {
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
