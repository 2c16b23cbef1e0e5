package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"sockguard/rewrite"
)

// maxTriggers bounds the text that is read for the ONBUILD triggers of all the
// images of one file. An image that a trigger names counts as much more, so that the
// engine is asked for maxRefs at most.
const maxTriggers = 4 << 20

var errTriggers = errors.New("its ONBUILD triggers, the stages that they see, or the images that they name are too many")

// A triggered is an ONBUILD trigger in a file in which an engine would run it.
type triggered struct {
	*parsed
	text        []byte // of the file
	start, size int    // where the trigger stands in text
}

// trigger reads an ONBUILD trigger that the FROM at the index runs. An engine parses
// each trigger by itself, and a COPY --from sees the stages before that FROM. So the
// trigger is parsed in a file that has just these stages.
func (p *parsed) trigger(onbuild string, at int, o *Options, budget *int) (*triggered, error) {
	var file bytes.Buffer
	stages := 2
	for _, n := range p.naming[:at] {
		if !n.from {
			continue
		}
		stages++
		file.WriteString("FROM scratch")
		if n.name != "" {
			file.WriteString(" AS " + n.name)
		}
		file.WriteByte('\n')
	}
	stage := p.newName(onbuild)
	if *budget -= file.Len() + len(onbuild) + 2*len(stage); *budget < 0 {
		return nil, errTriggers
	}
	fmt.Fprintf(&file, "FROM scratch AS %s\nONBUILD ", stage)
	t := &triggered{start: file.Len(), size: len(onbuild)}
	fmt.Fprintf(&file, "%s\nFROM %s\n", onbuild, stage)
	t.text = file.Bytes()
	var lerr *lineError
	if t.parsed, _, lerr = agreed(t.text, &Options{Guarded: o.Guarded, Engine: o.Engine}); lerr != nil {
		return nil, fmt.Errorf("ONBUILD trigger %.60q: %w", onbuild, lerr.err)
	}
	if *budget -= len(t.refs) * (maxTriggers / maxRefs); *budget < 0 {
		return nil, errTriggers
	}
	for _, n := range t.naming {
		if n.from {
			stages--
		}
	}
	if stages != 0 {
		return nil, errors.New("an ONBUILD trigger of it is not one instruction")
	}
	return t, nil
}

// pinned returns the trigger with the images in place of those that it names. Line
// is that of the FROM in the file called name.
func (t *triggered) pinned(line int, name string, o *Options) (string, error) {
	ids := map[int]string{}
	for _, ref := range t.refs {
		ref.Line = line
		image, err := ref.ask(name, o)
		if err != nil {
			return "", err
		}
		if image.ID != "" {
			ids[ref.at] = image.ID
		}
	}
	s, lerr := t.render(t.text, nil, ids)
	if lerr != nil {
		return "", rewrite.Refusef(name, line, "an ONBUILD trigger: %v", lerr.err)
	}
	after := len(t.text) - t.start - t.size
	return string(s.Text[t.start : len(s.Text)-after]), nil
}

// newName returns a stage name that is longer than any name in the file or in
// text, so it is none of them.
func (p *parsed) newName(text string) string {
	size := len(text)
	for _, n := range p.naming {
		size = max(size, len(n.name))
	}
	return "b" + strings.Repeat("x", size)
}
