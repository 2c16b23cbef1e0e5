package dockerfile

import (
	"bytes"
	"unicode"
)

// maxLine is the size of the engine's line buffer. A line with its line end has
// to fit.
const maxLine = 64 << 10

// lines walks the physical lines of a Dockerfile.
type lines struct {
	text  []byte
	pos   int // where the next line starts
	line  int // 1-based number of the last line
	oneCR bool
	long  bool // the walk ended at a line above maxLine
}

// next returns the next physical line without its line end, false after the last.
func (l *lines) next() ([]byte, bool) {
	if l.long || l.pos == len(l.text) {
		return nil, false
	}
	rest := l.text[l.pos:]
	i := bytes.IndexByte(rest, '\n')
	size := i + 1
	if i < 0 {
		i, size = len(rest), len(rest)
	}
	l.line++
	if i >= maxLine {
		l.long = true
		return nil, false
	}
	l.pos += size
	return l.trimEnd(rest[:i]), true
}

// trimEnd removes the CRs of a line end.
func (l *lines) trimEnd(s []byte) []byte {
	if l.oneCR {
		return bytes.TrimSuffix(s, []byte("\r"))
	}
	return bytes.TrimRight(s, "\r")
}

// A span is where an instruction stands in the source.
type span struct {
	line, last int  // its first and last physical line, 1-based
	start, end int  // its bytes, line ends included
	joined     bool // it is continued
}

// An instruction is one logical line.
type instruction struct {
	span
	raw  []byte // joined, with its trailing blanks; valid until the next instruction
	text []byte // raw, trimmed
}

// A scanner joins physical lines into instructions.
type scanner struct {
	lines
	directives
	buf []byte
}

// next reads the next instruction. It reports false at the end of the text and at
// a line that is too long. An error is one in a parser directive.
func (s *scanner) next(in *instruction) (bool, error) {
	for {
		start := s.pos
		line, ok := s.lines.next()
		if !ok {
			return false, nil
		}
		if start == 0 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		line = trimLeft(line)
		if !s.done {
			if err := s.directive(line); err != nil {
				return false, err
			}
		}
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		*in = instruction{span: span{line: s.line, start: start}}
		if head, ok := continued(line, s.escape); ok {
			in.joined = true
			line = s.join(head)
		}
		in.raw, in.text = line, bytes.TrimSpace(line)
		in.last, in.end = s.line, s.pos
		return true, nil
	}
}

// join reads the rest of an instruction that starts with head. Comments and blank
// lines do not end a continuation; the end of the file does.
func (s *scanner) join(head []byte) []byte {
	s.buf = append(s.buf[:0], head...)
	for {
		line, ok := s.lines.next()
		if !ok {
			return s.buf
		}
		if t := trimLeft(line); len(t) == 0 || t[0] == '#' {
			continue
		}
		line, more := continued(line, s.escape)
		s.buf = append(s.buf, line...)
		if !more {
			return s.buf
		}
	}
}

// continued reports whether the next physical line continues this one, and
// returns this one without the escape. Only spaces and tabs may follow the escape.
// A doubled escape does not continue a line.
func continued(line []byte, escape byte) ([]byte, bool) {
	end := len(line)
	for end > 0 && (line[end-1] == ' ' || line[end-1] == '\t') {
		end--
	}
	if end == 0 || line[end-1] != escape || end > 1 && line[end-2] == escape {
		return line, false
	}
	return line[:end-1], true
}

// trimLeft removes leading blanks, as Unicode defines them.
func trimLeft(s []byte) []byte {
	return bytes.TrimLeftFunc(s, unicode.IsSpace)
}
