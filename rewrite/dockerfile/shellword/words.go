package shellword

import (
	"strings"
	"unicode"
)

// Blanks separate the words of an instruction. Other Unicode blanks do not.
const Blanks = "\t\v\f\r "

// Cut splits a trimmed line into its first word and the rest, as an instruction
// is split into its keyword and its arguments.
func Cut(s string) (word, rest string) {
	i := strings.IndexAny(s, Blanks)
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], Blanks)
}

// A Flag is a --flag of an instruction.
type Flag struct {
	Text       string // unquoted
	Start, End int    // where it stands in the arguments
}

// Flags splits the arguments of an instruction into its leading --flags and the
// trimmed rest. The word "--" ends the flags. Like the engine it reads bytes as
// Latin-1, so 0x85 and 0xA0 are blanks.
func Flags(args string, escape byte) (flags []Flag, rest string) {
	size := len(args)
	for {
		for args != "" && unicode.IsSpace(rune(args[0])) {
			args = args[1:]
		}
		if !strings.HasPrefix(args, "--") {
			return flags, strings.TrimSpace(args)
		}
		start := size - len(args)
		var word string
		word, args = cutFlag(args, escape)
		if word == "--" {
			return flags, strings.TrimSpace(args)
		}
		flags = append(flags, Flag{word, start, size - len(args)})
	}
}

// cutFlag unquotes the first word of s. Escapes count in both kinds of quotes.
func cutFlag(s string, escape byte) (word, rest string) {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == 0 && unicode.IsSpace(rune(c)):
			return b.String(), s[i:]
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
			continue
		case quote != 0 && c == quote:
			quote = 0
			continue
		case c == escape:
			i++
			if i == len(s) {
				return b.String(), ""
			}
			c = s[i]
		}
		b.WriteRune(rune(c))
	}
	return b.String(), ""
}

// FlagValue returns the flag --name and its value, zero values without the flag.
// It is not ok when the flag is given twice or has no value, which engines reject.
func FlagValue(flags []Flag, name string) (flag Flag, value string, ok bool) {
	for _, f := range flags {
		k, v, has := strings.Cut(f.Text[len("--"):], "=")
		if k != name {
			continue
		}
		if flag.Text != "" || !has {
			return flag, "", false
		}
		flag, value = f, v
	}
	return flag, value, true
}

// Words splits the arguments of a LABEL or an ARG at Unicode blanks outside
// quotes. Quotes and escapes stay in the words. An escape at the end of the line
// is dropped.
func Words(s string, escape rune) []string {
	var words []string
	var quote rune
	start, end := -1, len(s) // of the word being read; of all words
	escaped := false
	for i, c := range s {
		switch {
		case escaped:
			escaped = false
			continue
		case quote == 0 && unicode.IsSpace(c):
			if start >= 0 {
				words = append(words, s[start:i])
			}
			start = -1
			continue
		case c == escape && quote != '\'':
			escaped = true
			if i+1 == len(s) {
				end = i
			}
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		}
		if start < 0 {
			start = i
		}
	}
	if start >= 0 && start < end {
		words = append(words, s[start:end])
	}
	return words
}
