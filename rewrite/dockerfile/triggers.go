package dockerfile

import (
	"errors"
	"fmt"
	"strings"
)

// maxTriggers bounds the text that is read for the ONBUILD triggers of all the
// images of one file.
const maxTriggers = 4 << 20

// triggered returns the images that ONBUILD triggers name with COPY --from, where
// from is the index of the FROM that runs them. An engine parses each trigger by
// itself, and a COPY --from sees the stages before that FROM. So each trigger is
// parsed in a file that has just these stages.
func (p *parsed) triggered(onbuild []string, from int, o *Options, budget *int) ([]reference, error) {
	if len(onbuild) == 0 {
		return nil, nil
	}
	var before strings.Builder
	for _, f := range p.froms[:from] {
		before.WriteString("FROM scratch")
		if f.name != "" {
			before.WriteString(" AS " + f.name)
		}
		before.WriteByte('\n')
	}
	var refs []reference
	for _, trigger := range onbuild {
		stage := p.newName(trigger)
		if *budget -= before.Len() + len(trigger) + 2*len(stage); *budget < 0 {
			return nil, errors.New("its ONBUILD triggers, or the stages that they see, are too many")
		}
		text := fmt.Sprintf("%sFROM scratch AS %s\nONBUILD %s\nFROM %s\n", before.String(), stage, trigger, stage)
		q, _, lerr := agreed([]byte(text), &Options{Guarded: o.Guarded, Engine: o.Engine})
		if lerr != nil {
			return nil, fmt.Errorf("ONBUILD trigger %.60q: %w", trigger, lerr.err)
		}
		if len(q.froms) != from+2 {
			return nil, errors.New("an ONBUILD trigger of it is not one instruction")
		}
		refs = append(refs, q.refs...)
	}
	return refs, nil
}

// newName returns a stage name that is longer than any name in the file or in
// text, so it is none of them.
func (p *parsed) newName(text string) string {
	size := len(text)
	for _, f := range p.froms {
		size = max(size, len(f.name))
	}
	return "b" + strings.Repeat("x", size)
}
