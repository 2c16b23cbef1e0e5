package shellword

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// eof is what a lexer reads at the end of its source.
const eof = rune(-1)

const digits = "0123456789"

// A lexer reads quotes, escapes and variables. With env it expands variables,
// with split it keeps them as they are written, and with neither it stops at the
// first one.
type lexer struct {
	Dialect
	escape rune
	env    func(name string) (value string, set bool)
	split  bool // into words, at Unicode blanks outside quotes
	raw    bool // keep quotes and escapes

	src   string
	out   []byte   // the result; with split, the word being read
	words []string // with split, the finished words
	start int      // with split, how much of out stands before the quote being read
	depth int      // of ${} around the position
	// disagree is set when versions that share a Dialect may read the source
	// differently: some lose the start of a word before ${x:-y}.
	disagree bool
}

// lex reads all of src.
func (l *lexer) lex(src string) error {
	// The engine's scanner takes U+FEFF at the start for a byte order mark.
	l.src = strings.TrimPrefix(src, "\ufeff")
	if err := l.until(eof, l.raw); err != nil {
		return err
	}
	l.endWord()
	return nil
}

func (l *lexer) peek() rune {
	rest := l.src
	r := l.next()
	l.src = rest
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
			l.start = len(l.out)
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
		case ch == '$' && top && l.split:
			err = l.splitDollar()
		case ch == '$':
			err = l.dollar()
		case ch == '<' && l.Glued:
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

// splitDollar reads a variable outside quotes. Blanks in it separate words.
func (l *lexer) splitDollar() error {
	mark := len(l.out)
	if err := l.dollar(); err != nil {
		return err
	}
	source := string(l.out[mark:])
	l.out = l.out[:mark]
	if strings.Contains(source, "<<") {
		l.disagree = true
	}
	for _, ch := range source {
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
		body = "'" + body + "'"
	}
	l.out = append(l.out, body...)
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
	ends := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }
	if unicode.IsDigit(first) {
		ends = func(r rune) bool { return !unicode.IsDigit(r) }
	}
	i := strings.IndexFunc(l.src, ends)
	if i < 0 {
		i = len(l.src)
	}
	name := l.src[:i]
	l.src = l.src[i:]
	return name
}

// mayBeHeredoc reports whether the word being read may be a here-document. It
// looks at the start of the word only.
func (l *lexer) mayBeHeredoc() bool {
	word := bytes.TrimLeft(l.out[:min(l.start, 256)], digits)
	name, ok := bytes.CutPrefix(word, []byte("<<"))
	return l.split && ok && bytes.IndexByte(name, '<') < 0
}
