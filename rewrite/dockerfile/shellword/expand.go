package shellword

import "fmt"

// dollar reads what follows a $.
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
	switch {
	case !l.knows(colon, op):
		return errSubstitution
	case l.split:
		return l.keep(name, colon, op)
	case l.env == nil:
		return ErrVariable
	}
	return l.substitute(name, colon, op)
}

// plain writes a variable without an operator.
func (l *lexer) plain(name, source string) error {
	switch {
	case l.split:
		l.out = append(l.out, source...)
		return nil
	case l.env == nil:
		return ErrVariable
	}
	value, _ := l.env(name)
	return l.append(value)
}

// append writes a value.
func (l *lexer) append(value string) error {
	if len(l.out)+len(value) > maxValue {
		return errTooMuch
	}
	l.out = append(l.out, value...)
	return nil
}

// knows reports whether the engine reads ${name op word}. Before 25 it knew
// three operators with a colon and one without. Since then it reads any operator
// after a colon, and rejects unknown ones only where it expands them.
func (l *lexer) knows(colon bool, op rune) bool {
	switch {
	case op == '?', colon && (l.Bare || op == '-' || op == '+'):
		return true
	case colon:
		return false
	case op == '-' || op == '+':
		return l.Bare
	case op == '#' || op == '%' || op == '/':
		return l.Patterns
	}
	return false
}

// substitute expands ${name op word} from after the operator.
func (l *lexer) substitute(name string, colon bool, op rune) error {
	word, err := l.nested('}', false)
	if err != nil {
		return err
	}
	value, set := l.env(name)
	empty := !set || colon && value == ""
	switch {
	case op == '-' && !empty, op == '?' && !empty:
	case op == '-', op == '+' && !empty:
		value = word
	case op == '+':
		value = ""
	case op == '?':
		return fmt.Errorf("%s is not set", name)
	default:
		return errSubstitution
	}
	return l.append(value)
}

// keep writes ${name op word} as it stands, read from after the operator. It
// leaves out the colon, as nothing depends on it.
func (l *lexer) keep(name string, colon bool, op rune) error {
	pattern := op == '#' || op == '%'
	if l.mayBeHeredoc() || pattern && colon {
		l.disagree = true
	}
	prefix := fmt.Sprintf("${%s%c", name, op)
	if op == '/' && !colon {
		if l.peek() == '/' {
			l.next()
		}
		old, err := l.nested('/', true)
		if err != nil {
			return err
		}
		prefix, pattern = prefix+old+"/", true
	}
	word, err := l.nested('}', pattern)
	l.out = append(l.out, prefix+word+"}"...)
	return err
}

// nested reads a word inside ${} up to stop. raw keeps escapes.
func (l *lexer) nested(stop rune, raw bool) (string, error) {
	mark := len(l.out)
	if l.depth++; l.depth > maxNesting {
		l.disagree = true
		return "", errTooMuch
	}
	err := l.until(stop, raw)
	l.depth--
	word := string(l.out[mark:])
	l.out = l.out[:mark]
	return word, err
}
