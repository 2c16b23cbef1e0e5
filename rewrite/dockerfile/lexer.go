package dockerfile

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// eof is what a lexer reads at the end of its source.
const eof = rune(-1)

var (
	errUnbalanced   = errors.New("a quote or ${ is not closed")
	errSubstitution = errors.New("a substitution that the engine does not know")
	errExpansion    = errors.New("a variable")
	errTooMuch      = errors.New("substitutions that are nested too deeply or grow too long")
)

// Limits of substitutions, which could otherwise take time and memory without
// end: a few lines can double a value a hundred times.
const (
	maxNesting = 32
	maxValue   = 64 << 10
	maxPattern = 128
)

// A lexer reads quotes, escapes and variables the way the engine's own does; it
// is the engine's for words of instructions and for here-document names.
//
// With env it expands variables. Without, splitting, it keeps them as they are
// written; without both it stops at the first one with errExpansion, and out
// holds what stands before it.
type lexer struct {
	*reading
	escape rune
	env    func(name string) (value string, set bool)
	split  bool // into words, at Unicode blanks outside quotes
	raw    bool // keep quotes and escapes

	src   string
	out   []byte   // the result; with split, the word being read
	words []string // with split, the finished words
	held  int      // with split, how much of out stands before the quote being read
	depth int      // of ${} around the position
	// odd is set when versions that share a reading may lex the source
	// differently: some lose the start of a word before ${x:-y}.
	odd bool
}

// lex reads all of src.
func (l *lexer) lex(src string) error {
	// The engine's scanner takes U+FEFF at the start for a byte order mark.
	l.src = strings.TrimPrefix(src, "\ufeff")
	l.out, l.words = l.out[:0], nil
	if err := l.until(eof, l.raw); err != nil {
		l.words = nil
		return err
	}
	l.endWord()
	return nil
}

func (l *lexer) peek() rune {
	if l.src == "" {
		return eof
	}
	r, _ := utf8.DecodeRuneInString(l.src)
	return r
}

func (l *lexer) next() rune {
	if l.src == "" {
		return eof
	}
	r, n := utf8.DecodeRuneInString(l.src)
	l.src = l.src[n:]
	return r
}

func (l *lexer) write(r rune) { l.out = utf8.AppendRune(l.out, r) }

func (l *lexer) endWord() {
	if l.split && len(l.out) > 0 {
		l.words = append(l.words, string(l.out))
		l.out = l.out[:0]
	}
}

// until reads up to stop, which it consumes. raw keeps escapes.
func (l *lexer) until(stop rune, raw bool) error {
	top := stop == eof
	for {
		if top {
			l.held = len(l.out)
		}
		ch := l.next()
		var err error
		switch {
		case ch == stop:
			return nil
		case ch == eof:
			return errUnbalanced
		case ch == '\'':
			err = l.single()
		case ch == '"':
			err = l.double(raw)
		case ch == '$':
			err = l.dollarAt(top)
		case ch == '<' && l.glued:
			l.less()
		case ch == l.escape:
			if raw {
				l.write(ch)
			}
			if ch = l.next(); ch == eof {
				continue
			}
			l.write(ch)
		case top && l.split && unicode.IsSpace(ch):
			l.endWord()
		default:
			l.write(ch)
		}
		if err != nil {
			return err
		}
	}
}

// dollarAt expands a variable outside double quotes, where its blanks separate
// words.
func (l *lexer) dollarAt(top bool) error {
	mark := len(l.out)
	if err := l.dollar(); err != nil || !top || !l.split {
		return err
	}
	value := string(l.out[mark:])
	l.out = l.out[:mark]
	if strings.Contains(value, "<<") {
		l.odd = true
	}
	for _, ch := range value {
		if unicode.IsSpace(ch) {
			l.endWord()
		} else {
			l.write(ch)
		}
	}
	return nil
}

// single reads the rest of a single-quoted string: nothing in it is special.
func (l *lexer) single() error {
	i := strings.IndexByte(l.src, '\'')
	if i < 0 {
		return errUnbalanced
	}
	body := string([]rune(l.src[:i]))
	l.src = l.src[i+1:]
	if l.raw {
		l.out = append(append(append(l.out, '\''), body...), '\'')
	} else {
		l.out = append(l.out, body...)
	}
	return nil
}

// double reads the rest of a double-quoted string. An escape is one only before
// a quote, a dollar and another escape.
func (l *lexer) double(raw bool) error {
	if l.raw {
		l.write('"')
	}
	for {
		ch := l.next()
		switch ch {
		case eof:
			return errUnbalanced
		case '"':
			if l.raw {
				l.write('"')
			}
			return nil
		case '$':
			if err := l.dollar(); err != nil {
				return err
			}
			continue
		case l.escape:
			switch next := l.peek(); next {
			case eof:
				continue
			case '"', '$', l.escape:
				if raw {
					l.write(ch)
				}
				ch = l.next()
			}
		}
		l.write(ch)
	}
}

// less reads what follows a <: blanks after << do not end a word.
func (l *lexer) less() {
	l.write('<')
	if l.peek() != '<' {
		return
	}
	l.write(l.next())
	for l.peek() == ' ' || l.peek() == '\t' || l.peek() == '\r' {
		l.write(l.next())
	}
}

// name reads a variable name: digits, one special character, or an identifier.
func (l *lexer) name() string {
	first := l.peek()
	if first != eof && strings.ContainsRune("@*#?-$!0", first) && !unicode.IsDigit(first) {
		l.next()
		return string(first)
	}
	letters := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }
	if unicode.IsDigit(first) {
		letters = func(r rune) bool { return !unicode.IsDigit(r) }
	}
	i := strings.IndexFunc(l.src, letters)
	if i < 0 {
		i = len(l.src)
	}
	name := l.src[:i]
	l.src = l.src[i:]
	return name
}

// keeps reports whether unset variables stay as they are written.
func (l *lexer) keeps() bool { return l.env == nil }

// value looks up a variable.
func (l *lexer) value(name string) (string, bool) {
	if l.keeps() {
		return "", false
	}
	return l.env(name)
}

// loses reports whether the word being read could be a here-document. It looks
// at its start only.
func (l *lexer) loses() bool {
	if !l.split {
		return false
	}
	word := bytes.TrimLeft(l.out[:min(l.held, 256)], digits)
	name, ok := bytes.CutPrefix(word, []byte("<<"))
	return ok && bytes.IndexByte(name, '<') < 0
}
