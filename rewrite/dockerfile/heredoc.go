package dockerfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"

	"sockguard/rewrite/dockerfile/shellword"
)

// A heredoc is a here-document, as the line of its instruction names it.
type heredoc struct {
	name string
	tabs bool // the line that ends it may have leading tabs
}

var errHeredocOdd = errors.New("engine versions disagree whether this line starts a here-document; move the substitution out of it")

// mayHeredoc is a cheap test for instructions that may have here-documents.
// Without [shellword.Dialect.Glued] an escape between two < can vanish inside a
// substitution.
func (r *reading) mayHeredoc(text []byte) bool {
	if !r.heredocs {
		return false
	}
	i := bytes.IndexByte(text, '<')
	return i >= 0 && (bytes.Contains(text[i:], []byte("<<")) || !r.Glued && bytes.Contains(text, []byte("${")))
}

// heredocsOf returns the here-documents of an ADD, COPY or RUN, or of an ONBUILD
// of one of these. raw is the whole instruction, args what follows its flags.
//
// The engine splits the whole instruction with \ as the escape, whatever the
// escape directive says. Trailing blanks count: an escaped one belongs to the
// name. If the engine cannot split the line, there are no here-documents.
func (r *reading) heredocsOf(raw, args string) ([]heredoc, error) {
	isJSON, errArray := jsonForm(args)
	if isJSON {
		return nil, nil
	}
	words, err := r.Split(raw, true)
	if err == shellword.ErrDisagree {
		return nil, errHeredocOdd
	}
	if err != nil {
		return nil, nil
	}
	var docs []heredoc
	for _, word := range words {
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
	name, ok := strings.CutPrefix(strings.TrimLeft(word, "0123456789"), "<<")
	if !ok {
		return d, false, nil
	}
	name, d.tabs = strings.CutPrefix(name, "-")
	if r.Glued {
		name = strings.TrimLeft(name, blanks)
	}
	if name == "" || strings.Contains(name, "<") {
		return d, false, nil
	}
	words, err := r.Split(name, false)
	switch {
	case err == shellword.ErrDisagree:
		return d, false, errHeredocOdd
	case err != nil:
		return d, false, errors.New("a here-document name that the engine cannot read")
	case len(words) != 1:
		return d, false, nil
	}
	d.name = words[0]
	return d, true, nil
}

// skip reads the lines of a here-document and the line that ends it. Nothing in
// them is special. It reports false if there is no such line.
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

// jsonForm reports whether args are a JSON array of strings. It is an
// error if text follows the array: engines before about 27.2 ignore that text,
// newer ones read the whole line as a shell command.
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
		return false, errors.New("engine versions disagree whether this line starts a here-document; remove what follows the JSON array")
	}
	for _, v := range array {
		if _, ok := v.(string); !ok {
			return false, errors.New("a JSON array in place of a command may hold strings only")
		}
	}
	return true, nil
}
