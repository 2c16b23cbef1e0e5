package dockerfile

import (
	"bytes"
	"errors"
	"strings"

	"sockguard/rewrite/dockerfile/shellword"
)

// render writes the rewritten file: the label line after every FROM, and images
// in place of those that instructions name, by the index of the instruction.
func (p *parsed) render(text, label []byte, images map[int]string) (*Scanned, *lineError) {
	s := &Scanned{}
	copied, added := 0, 0 // bytes of text copied; how many more lines they have in Text
	for i := range p.naming {
		n, label, image := &p.naming[i], label, images[i]
		if !n.from {
			label = nil
		}
		if len(label) == 0 && image == "" {
			continue
		}
		s.Text = append(s.Text, text[copied:n.start]...)
		copied = n.end
		line, err := n.rewritten(text[n.start:n.end], image)
		if err != nil {
			return nil, &lineError{n.line, err}
		}
		s.Text = append(s.Text, line...)
		s.count(n, label, image)
		s.insert(n, label, &added)
	}
	s.Text = append(s.Text, text[copied:]...)
	return s, nil
}

// insert writes label after an instruction and marks which lines of the source
// follow. added is how many more lines Text has than the source up to here.
func (s *Scanned) insert(n *naming, label []byte, added *int) {
	if !bytes.HasSuffix(s.Text, []byte("\n")) {
		s.Text = append(s.Text, '\n')
	}
	first := n.line + *added
	s.marks = append(s.marks, mark{first, n.line})
	next := first + 1
	if len(label) > 0 {
		s.Text = append(s.Text, label...)
		s.Inserted = append(s.Inserted, next)
		s.marks = append(s.marks, mark{next, n.line})
		next++
	}
	s.marks = append(s.marks, mark{next, n.last + 1})
	*added = next - (n.last + 1)
}

// count adds the steps of an instruction that was changed and of its label.
func (s *Scanned) count(n *naming, label []byte, image string) {
	if n.dropped {
		return
	}
	number := n.step + len(s.Inserted)
	if image != "" {
		s.Steps = append(s.Steps, Step{number, strings.TrimSpace(n.text)})
	}
	if len(label) > 0 {
		s.Steps = append(s.Steps, Step{Number: number + 1})
	}
}

// rewritten returns an instruction with another image, if there is one, and its
// line end. Source is the instruction as it stands in the file.
func (n *naming) rewritten(source []byte, image string) (string, error) {
	if image != "" && !n.from {
		image = "--from=" + image
	}
	line := n.text
	switch {
	case !n.joined && image == "":
		return string(source), nil
	case !n.joined && !n.from:
		line = string(trimLeft(source)) // with its own line end
	}
	if image != "" {
		before := line[:n.base]
		if !strings.ContainsRune(shellword.Blanks, rune(before[len(before)-1])) {
			before += " " // the last byte of FROM --\xa0 is a blank of flags only
		}
		line = before + image + line[n.rest:]
	}
	if n.joined || n.from {
		for _, escape := range []byte{'\\', '`'} {
			if _, more := continued(bytes.TrimRight([]byte(line), "\r"), escape); more {
				return "", errors.New("the instruction ends in an escape; remove it")
			}
		}
		line += "\n"
	}
	if len(line) > maxLine {
		return "", errors.New("the instruction does not fit one line")
	}
	return line, nil
}
