package dockerfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// directives are the parser directives at the top of a Dockerfile. They end at
// the first line that is not one: a blank line, a comment, an unknown name.
type directives struct {
	escape byte // \ or `
	check  bool // "check" is a directive
	done   bool // the directives have ended
	seen   []string
}

// blanks are what \s means in the parser's regular expressions.
const blanks = "\t\n\f\r "

// directive reads a left-trimmed line at the top of the file.
func (d *directives) directive(line []byte) error {
	comment, ok := bytes.CutPrefix(line, []byte("#"))
	if !ok {
		d.done = true
		return nil
	}
	name, value, ok := cutDirective(trimLeft(comment))
	if !ok || name != "escape" && name != "syntax" && (name != "check" || !d.check) {
		d.done = true
		return nil
	}
	// Engine 29 trims Unicode blanks after the #, older ones do not.
	if _, _, ok := cutDirective(bytes.TrimLeft(comment, blanks)); !ok {
		return errors.New("engine versions disagree whether this is a parser directive; put a plain space or nothing after the #")
	}
	if slices.Contains(d.seen, name) {
		return fmt.Errorf("there can be only one %s parser directive", name)
	}
	d.seen = append(d.seen, name)
	if name != "escape" {
		return nil
	}
	if value != `\` && value != "`" {
		return fmt.Errorf("the escape directive must name \\ or `, not %q", value)
	}
	d.escape = value[0]
	return nil
}

// cutDirective splits "name = value". A value of blanks only is one blank.
func cutDirective(s []byte) (name, value string, ok bool) {
	n := 0
	for n < len(s) && (isLetter(s[n]) || n > 0 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(s[n:], blanks), []byte("="))
	if n == 0 || !ok || len(rest) == 0 {
		return "", "", false
	}
	v := bytes.Trim(rest, blanks)
	if len(v) == 0 {
		v = rest[len(rest)-1:]
	}
	return strings.ToLower(string(s[:n])), string(v), true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
