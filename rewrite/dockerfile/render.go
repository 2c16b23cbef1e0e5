package dockerfile

import (
	"bytes"
	"errors"
)

// render writes the rewritten file: the label line after every FROM, and images
// in place of those of FROMs, by the index of the FROM.
func (p *parsed) render(text, label []byte, images map[int]string) (*Scanned, *lineError) {
	s := &Scanned{}
	copied, added := 0, 0 // bytes of text copied; how many more lines they have in Text
	for i := range p.froms {
		f := &p.froms[i]
		image := images[i]
		if len(label) == 0 && image == "" {
			continue
		}
		s.Text = append(s.Text, text[copied:f.start]...)
		copied = f.end
		if f.joined || image != "" {
			line, err := f.oneLine(image)
			if err != nil {
				return nil, &lineError{f.line, err}
			}
			s.Text = append(append(s.Text, line...), '\n')
		} else {
			s.Text = append(s.Text, text[f.start:f.end]...)
		}
		s.count(f, label, image)
		s.insert(f, label, &added)
	}
	s.Text = append(s.Text, text[copied:]...)
	return s, nil
}

// insert writes label after a FROM and marks which lines of the source follow.
// added is how many more lines Text has than the source up to here.
func (s *Scanned) insert(f *fromLine, label []byte, added *int) {
	if !bytes.HasSuffix(s.Text, []byte("\n")) {
		s.Text = append(s.Text, '\n')
	}
	first := f.line + *added
	s.marks = append(s.marks, mark{first, f.line})
	next := first + 1
	if len(label) > 0 {
		s.Text = append(s.Text, label...)
		s.Inserted = append(s.Inserted, next)
		s.marks = append(s.marks, mark{next, f.line})
		next++
	}
	s.marks = append(s.marks, mark{next, f.last + 1})
	*added = next - (f.last + 1)
}

// count adds the steps of a FROM that was changed and of its label.
func (s *Scanned) count(f *fromLine, label []byte, image string) {
	if f.dropped {
		return
	}
	number := f.step + len(s.Inserted)
	if image != "" {
		s.Steps = append(s.Steps, Step{number, f.text})
	}
	if len(label) > 0 {
		s.Steps = append(s.Steps, Step{Number: number + 1})
	}
}

// oneLine returns a FROM on one line, with another image if there is one.
func (f *fromLine) oneLine(image string) (string, error) {
	line := f.text
	if image != "" {
		line = f.text[:f.base] + image + f.text[f.rest:]
	}
	if len(line) >= maxLine {
		return "", errors.New("the FROM does not fit one line")
	}
	for _, escape := range []byte{'\\', '`'} {
		if _, more := continued([]byte(line), escape); more {
			return "", errors.New("the FROM ends in an escape; remove it")
		}
	}
	return line, nil
}
