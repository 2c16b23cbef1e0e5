package dockerfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
)

// A heredoc is a here-document that an instruction announces.
type heredoc struct {
	name string
	tabs bool // leading tabs do not count in the line that ends it
}

var (
	errHeredoc    = errors.New("a here-document name that the engine cannot read")
	errHeredocOdd = errors.New("engine versions disagree whether this line starts a here-document; move the substitution out of it")
	errJSON       = errors.New("engine versions disagree whether this line starts a here-document; remove what follows the JSON array")
	errJSONType   = errors.New("a JSON array in place of a command may hold strings only")
)

const digits = "0123456789"

// mayHeredoc is a cheap test for lines that need heredocsOf. Older engines do
// not see an escape between two < inside a substitution.
func (r *reading) mayHeredoc(text []byte) bool {
	if !r.heredocs {
		return false
	}
	i := bytes.IndexByte(text, '<')
	return i >= 0 && (bytes.Contains(text[i:], []byte("<<")) || !r.glued && bytes.Contains(text, []byte("${")))
}

// heredocsOf returns the here-documents of an ADD, COPY or RUN, or of an ONBUILD
// of these. raw is the whole instruction, args what follows the flags.
//
// The parser lexes the whole instruction with \ as the escape, whatever the
// escape directive says. Trailing blanks count: an escaped one belongs to the
// name. What the parser cannot lex has no here-documents.
func (r *reading) heredocsOf(raw, args string) ([]heredoc, error) {
	isJSON, errArray := jsonForm(args)
	if isJSON {
		return nil, nil
	}
	l := &lexer{reading: r, escape: '\\', split: true, raw: true}
	err := l.lex(raw)
	if l.odd {
		return nil, errHeredocOdd
	}
	if err != nil {
		return nil, nil
	}
	var docs []heredoc
	for _, word := range l.words {
		d, ok, err := r.heredoc(word)
		if err != nil {
			return nil, err
		}
		if ok {
			docs = append(docs, d)
		}
	}
	if len(docs) > 0 && errArray != nil {
		return nil, errArray
	}
	return docs, nil
}

// heredoc reads a word of the form 3<<-name.
func (r *reading) heredoc(word string) (d heredoc, ok bool, err error) {
	name, ok := strings.CutPrefix(strings.TrimLeft(word, digits), "<<")
	if !ok {
		return d, false, nil
	}
	name, d.tabs = strings.CutPrefix(name, "-")
	if r.glued {
		name = strings.TrimLeft(name, blanks)
	}
	if name == "" || strings.Contains(name, "<") {
		return d, false, nil
	}
	l := &lexer{reading: r, escape: '\\', split: true}
	if err := l.lex(name); err != nil {
		return d, false, errHeredoc
	}
	if l.odd {
		return d, false, errHeredocOdd
	}
	if len(l.words) != 1 {
		return d, false, nil
	}
	d.name = l.words[0]
	return d, true, nil
}

// skip reads the lines of a here-document, up to and with the one that ends it.
// Nothing in them is special.
func (s *scanner) skip(d heredoc) bool {
	for {
		line, ok := s.lines.next()
		if !ok {
			return false
		}
		if d.tabs {
			line = bytes.TrimLeft(line, "\t")
		}
		if string(line) == d.name {
			return true
		}
	}
}

// jsonForm reports whether args are a JSON array of strings. Engines before
// about 27.2 ignored what follows the array, newer ones read such a line as
// shell text: errJSON.
func jsonForm(args string) (bool, error) {
	args = strings.TrimLeftFunc(args, unicode.IsSpace)
	if !strings.HasPrefix(args, "[") {
		return false, nil
	}
	var array []any
	dec := json.NewDecoder(strings.NewReader(args))
	if dec.Decode(&array) != nil {
		return false, nil
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return false, errJSON
	}
	for _, v := range array {
		if _, ok := v.(string); !ok {
			return false, errJSONType
		}
	}
	return true, nil
}
