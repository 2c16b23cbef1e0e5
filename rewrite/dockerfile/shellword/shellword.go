// Package shellword splits and expands the words of Dockerfile instructions.
//
// It follows BuildKit's parser (words of an instruction, flags, LABEL and ARG
// words) and BuildKit's shell lexer (quotes, escapes, variables), which the
// classic builder of every Docker Engine uses too. Where releases differ, a
// [Dialect] says which one is meant.
//
// Of the substitutions it expands those that a FROM has: $x, ${x}, and ${x-y},
// ${x+y}, ${x?y}, each with or without a colon. It finds the end of ${x#y},
// ${x%y} and ${x/y/z}, as splitting needs that, but does not expand them.
package shellword

import "errors"

// Errors that callers tell apart.
var (
	// ErrVariable reports a word that is not literal.
	ErrVariable = errors.New("a variable")
	// ErrDisagree reports text that releases with the same Dialect read
	// differently.
	ErrDisagree = errors.New("engine versions disagree on this substitution")
)

var (
	errUnbalanced   = errors.New("a quote or ${ is not closed")
	errSubstitution = errors.New("this substitution is not supported; use ${x}, ${x:-y} or ${x:+y}, or write the value out")
	errTooMuch      = errors.New("substitutions that are nested too deeply or grow too long")
)

// Limits of substitutions. Without them a few lines can double a value a
// hundred times.
const (
	maxNesting = 32
	maxValue   = 64 << 10
)

// A Dialect is what releases of the engine do differently.
type Dialect struct {
	Glued    bool // blanks after << do not end a word
	Bare     bool // ${x-y} and ${x+y} are known; after a colon any operator is read
	Patterns bool // ${x#y}, ${x%y} and ${x/y/z} are known
}

// Expand returns word without quotes and escapes, its variables replaced. env
// reports the value of a variable and whether it is set. With a nil env Expand
// stops at the first variable and returns what stands before it, with
// [ErrVariable].
func (d Dialect) Expand(word string, escape rune, env func(name string) (value string, set bool)) (string, error) {
	l := &lexer{Dialect: d, escape: escape, env: env}
	err := l.lex(word)
	return string(l.out), err
}

// Split splits text into words at Unicode blanks outside quotes, with \ as the
// escape. Variables stay as they are written, but for the colon in ${x:-y}. With
// raw, quotes and escapes stay too.
func (d Dialect) Split(text string, raw bool) ([]string, error) {
	l := &lexer{Dialect: d, escape: '\\', split: true, raw: raw}
	err := l.lex(text)
	if l.disagree {
		err = ErrDisagree
	}
	return l.words, err
}
