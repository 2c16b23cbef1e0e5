package dockerfile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// dollar reads what follows a $ and writes its value.
func (l *lexer) dollar() error {
	if l.peek() != '{' {
		name := l.name()
		if name == "" {
			l.write('$')
			return nil
		}
		return l.plain(name, "$"+name)
	}
	l.next()
	switch l.peek() {
	case eof, '{', '}', ':':
		return errSubstitution
	}
	name := l.name()
	op := l.next()
	if op == '}' {
		return l.plain(name, "${"+name+"}")
	}
	colon := op == ':'
	if colon {
		op = l.next()
	}
	return l.modified(name, colon, op)
}

// plain writes a variable without a modifier.
func (l *lexer) plain(name, source string) error {
	if l.keeps() && !l.split {
		return errExpansion
	}
	value, set := l.value(name)
	if !set && l.keeps() {
		value = source
	}
	l.out = append(l.out, value...)
	if !l.split && len(l.out) > maxValue {
		return errTooMuch
	}
	return nil
}

// modified reads ${name op word} from after the operator.
func (l *lexer) modified(name string, colon bool, op rune) error {
	if !l.knows(colon, op) {
		return errSubstitution
	}
	if l.keeps() && !l.split {
		return errExpansion
	}
	if l.loses() {
		l.odd = true
	}
	if op == '/' && !colon {
		return l.replaced(name)
	}
	pattern := op == '#' || op == '%'
	if pattern && colon {
		l.odd = true // newer engines refuse what older ones ignore
	}
	word, err := l.nested('}', pattern)
	if err != nil {
		return err
	}
	if l.keeps() {
		l.out = fmt.Appendf(l.out, "${%s%c%s}", name, op, word) // nobody looks for the colon
		return nil
	}
	value, set := l.env(name)
	if len(l.out) > maxValue {
		return errTooMuch
	}
	empty := !set || colon && value == ""
	switch {
	case colon && !strings.ContainsRune("+-?", op):
		return errSubstitution
	case op == '-' && empty:
		value = word
	case op == '+' && empty:
		value = ""
	case op == '+':
		value = word
	case op == '?' && empty:
		return fmt.Errorf("%s is not set", name)
	case pattern:
		value, err = trimmed(value, op, word)
	}
	l.out = append(l.out, value...)
	return err
}

// knows reports whether the engine knows ${name op word}. Before 25 it knew
// three operators with a colon and one without; since then it reads anything
// after a colon, and objects only where it expands.
func (l *lexer) knows(colon bool, op rune) bool {
	switch {
	case op == '?', colon && (l.bare || op == '-' || op == '+'):
		return true
	case colon:
		return false
	case op == '-' || op == '+':
		return l.bare
	case op == '#' || op == '%' || op == '/':
		return l.patterns
	}
	return false
}

// nested reads a word inside ${} up to stop.
func (l *lexer) nested(stop rune, raw bool) (string, error) {
	mark := len(l.out)
	if l.depth++; l.depth > maxNesting {
		l.odd = true
		return "", errTooMuch
	}
	err := l.until(stop, raw)
	l.depth--
	word := string(l.out[mark:])
	l.out = l.out[:mark]
	return word, err
}

// replaced reads ${name/pattern/word} or ${name//pattern/word} from after the
// first slash.
func (l *lexer) replaced(name string) error {
	all := l.peek() == '/'
	if all {
		l.next()
	}
	pattern, err := l.nested('/', true)
	if err != nil {
		return err
	}
	word, err := l.nested('}', true)
	if err != nil {
		return err
	}
	if l.keeps() {
		l.out = fmt.Appendf(l.out, "${%s/%s/%s}", name, pattern, word)
		return nil
	}
	value, _ := l.env(name)
	re, err := glob(value, pattern, "", ".*")
	if err != nil {
		return err
	}
	switch at := re.FindStringIndex(value); {
	case strings.ContainsAny(word, "$\\`"):
		return errPattern
	case len(word) > maxPattern:
		return errTooMuch
	case all:
		value = re.ReplaceAllLiteralString(value, word)
	case at != nil:
		value = value[:at[0]] + word + value[at[1]:]
	}
	l.out = append(l.out, value...)
	return nil
}

// trimmed removes the shortest prefix (#) or suffix (%) that matches a pattern,
// or the longest when the operator is doubled.
func trimmed(value string, op rune, pattern string) (string, error) {
	star := ".*?"
	if p, ok := strings.CutPrefix(pattern, string(op)); ok {
		star, pattern = ".*", p
	}
	if op == '%' {
		value, pattern = reversed(value), reversed(pattern)
	}
	re, err := glob(value, pattern, "^", star)
	if err != nil {
		return "", err
	}
	if at := re.FindStringIndex(value); at != nil {
		value = value[at[1]:]
	}
	if op == '%' {
		value = reversed(value)
	}
	return value, nil
}

var errPattern = errors.New("engine versions disagree on a pattern that is empty or has quotes and escapes; write the value out")

// glob compiles a pattern of a substitution in value.
func glob(value, pattern, prefix, star string) (*regexp.Regexp, error) {
	if len(value) > maxPattern*maxPattern || len(pattern) > maxPattern {
		return nil, errTooMuch
	}
	if pattern == "" || strings.ContainsAny(pattern, "\\`") {
		return nil, errPattern
	}
	p := strings.NewReplacer(`\*`, star, `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	return regexp.Compile(prefix + p)
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}
