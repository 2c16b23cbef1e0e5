package dockerfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sockguard/rewrite/dockerfile/shellword"
)

const (
	maxStages = 1000 // bounds what LABELs add to a file
	maxRefs   = 1000 // bounds what an engine is asked for
	maxRef    = 4096 // bytes of a reference and its platform; no real one is as long
)

// stages are the build stages of a file, in order.
type stages struct {
	list    []stage
	names   map[string]int // of finished stages, lower-cased
	reached bool           // the target has begun
	dropped bool           // the stage being read comes after the target
}

// A stage is what one FROM begins.
type stage struct {
	name     string
	triggers []trigger
}

// A trigger is an ONBUILD COPY --from. It runs in every later stage that starts
// from this one. Only the first run is looked at: a name that is a stage then is
// one in all later runs.
type trigger struct {
	at   int // index of the ONBUILD in parsed.naming
	from string
}

// from reads a FROM.
func (p *reader) from(in *instruction) error {
	flags, args := p.arguments(in)
	words := strings.FieldsFunc(args, func(r rune) bool { return strings.ContainsRune(shellword.Blanks, r) })
	name := ""
	switch {
	case len(words) == 3 && strings.EqualFold(words[1], "as"):
		name = strings.ToLower(words[2])
		if !isStageName(name) {
			return fmt.Errorf("%s is not a stage name; use letters, digits and - _ . after a first letter", words[2])
		}
	case len(words) != 1:
		return errors.New("FROM takes an image, or an image AS a stage name")
	}
	for _, f := range flags {
		if k, _, _ := strings.Cut(f.Text, "="); k != "--platform" {
			return fmt.Errorf("FROM has no flag %s", k)
		}
	}
	_, platform, ok := shellword.FlagValue(flags, "platform")
	if !ok {
		return errors.New("FROM --platform is given twice or has no value")
	}
	if len(p.list) == maxStages {
		return fmt.Errorf("more than %d stages", maxStages)
	}
	p.begin(in, words[0], args, name)
	if p.dropped {
		return nil
	}
	return p.startFrom(in.line, words[0], platform)
}

func isStageName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '_' && c != '.') {
			return false
		}
	}
	return s != ""
}

// begin ends the stage being read and begins the next one.
func (p *reader) begin(in *instruction, base, args, name string) {
	if i := len(p.list) - 1; i >= 0 && p.list[i].name != "" {
		if _, taken := p.names[p.list[i].name]; !taken {
			p.names[p.list[i].name] = i
		}
	}
	p.list = append(p.list, stage{name: name})
	p.dropped = p.reached
	p.reached = p.reached || p.o.Target != "" && strings.EqualFold(name, p.o.Target)
	at := len(in.text) - len(args)
	p.naming = append(p.naming, naming{
		span: in.span, from: true, text: string(in.text), base: at, rest: at + len(base),
		name: name, step: p.step, dropped: p.dropped,
	})
}

// startFrom handles the base of a FROM: an earlier stage, scratch or an image.
func (p *reader) startFrom(line int, base, platform string) error {
	if name := p.list[len(p.list)-1].name; name != "" {
		if _, taken := p.names[name]; taken {
			return fmt.Errorf("an earlier stage is named %s already", name)
		}
	}
	expanded, err := p.expand(platform)
	if err != nil {
		return err
	}
	ref, err := p.expand(base)
	if err != nil {
		return err
	}
	if ref == "" {
		return nil // engines reject it when the build gets there
	}
	if len(ref)+len(expanded) > maxRef {
		return fmt.Errorf("the image %.40s... is longer than any name", ref)
	}
	if i, ok := p.names[strings.ToLower(ref)]; ok {
		triggers := p.list[i].triggers
		p.list[i].triggers = nil
		for _, t := range triggers {
			if err := p.refer(t.at, t.from); err != nil {
				return err
			}
		}
		return nil
	}
	if ref != "scratch" {
		return p.addRef(reference{
			ImageRef{Line: line, Ref: ref, Platform: expanded, From: true}, len(p.naming) - 1,
		})
	}
	return nil
}

// copyFrom reads the --from of a COPY. The classic builder does not expand it.
func (p *reader) copyFrom(in *instruction) error {
	_, args := shellword.Cut(string(in.text))
	from, err := p.fromFlag(in, args, p.escapeOfFlags())
	if err != nil {
		return err
	}
	return p.refer(len(p.naming)-1, from)
}

// fromFlag returns the --from of a COPY with these arguments, which in ends in. It
// adds the instruction to those that name an image.
func (p *reader) fromFlag(in *instruction, args string, escape byte) (string, error) {
	flags, _ := shellword.Flags(args, escape)
	flag, from, ok := shellword.FlagValue(flags, "from")
	if !ok {
		return "", errCopyFrom
	}
	if from != "" {
		at := len(in.text) - len(args)
		p.naming = append(p.naming, naming{
			span: in.span, text: string(trimLeft(in.raw)), base: at + flag.Start, rest: at + flag.End,
			step: p.step, dropped: p.dropped,
		})
	}
	return from, nil
}

var errCopyFrom = errors.New("COPY --from is given twice or has no value")

// refer adds the image of a COPY --from to the references, unless it is a stage.
// at is the index of the instruction in naming.
func (p *reader) refer(at int, from string) error {
	if from == "" || p.dropped {
		return nil
	}
	if _, ok := p.names[strings.ToLower(from)]; ok {
		return nil
	}
	if i, err := strconv.ParseInt(from, 10, 0); err == nil {
		if i < 0 || i >= int64(len(p.list)-1) {
			return fmt.Errorf("COPY --from=%s: no earlier stage has this number", from)
		}
		return nil
	}
	return p.addRef(reference{ImageRef{Line: p.naming[at].line, Ref: from}, at})
}

// addRef adds an image that an engine is asked for.
func (p *reader) addRef(r reference) error {
	if len(p.refs) == maxRefs {
		return fmt.Errorf("more than %d images are named; name an image in one FROM, and copy from its stage", maxRefs)
	}
	p.refs = append(p.refs, r)
	return nil
}
