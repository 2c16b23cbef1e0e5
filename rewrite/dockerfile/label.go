package dockerfile

import (
	"fmt"
	"strings"

	"sockguard/rewrite"
)

// LabelInstruction returns the LABEL instruction that sets labels, without a
// line end, for the changes of a commit or an import.
func LabelInstruction(labels []rewrite.Label) (string, error) {
	line, err := labelLine(labels)
	return string(line[:max(0, len(line)-1)]), err
}

// labelLine returns the LABEL instruction that sets labels, as a line. Single
// quotes are the one way to write a value that needs no knowledge of the escape
// directive: nothing is special in them, and the line cannot be continued.
func labelLine(labels []rewrite.Label) ([]byte, error) {
	if len(labels) == 0 {
		return nil, nil
	}
	line := []byte("LABEL")
	for _, l := range labels {
		if err := l.Check(); err != nil {
			return nil, err
		}
		value := strings.ReplaceAll(l.Value, `'`, `'"'"'`)
		line = fmt.Appendf(line, " '%s'='%s'", l.Key, value)
	}
	line = append(line, '\n')
	if len(line) > maxLine {
		return nil, fmt.Errorf("labels: %d bytes do not fit a line of a Dockerfile", len(line))
	}
	return line, nil
}

// guardLabel refuses a LABEL that sets a guarded key, or could. words is the
// escape that splits args into words; the keys are judged for every escape of
// lex.
func (p *pass) guardLabel(args string, words rune, lex string) error {
	keys, err := labelKeys(args, words)
	if err != nil {
		return err
	}
	for _, escape := range lex {
		for _, key := range keys {
			if err := p.guardKey(key, escape); err != nil {
				return err
			}
		}
	}
	return nil
}

// guardKey judges one key as it is written.
func (p *pass) guardKey(key string, escape rune) error {
	l := &lexer{reading: p.reading, escape: escape}
	err := l.lex(key)
	for _, guarded := range p.o.Guarded {
		switch {
		case err == nil && string(l.out) == guarded:
			return errGuarded(guarded)
		case err == errExpansion && strings.HasPrefix(guarded, string(l.out)):
			return fmt.Errorf("LABEL: the key %s could become %s, which sockguard sets; write it without variables", key, guarded)
		}
	}
	if err != nil && err != errExpansion {
		return fmt.Errorf("LABEL: the key %s: %w", key, err)
	}
	return nil
}

func errGuarded(key string) error {
	return fmt.Errorf("LABEL may not set %s: sockguard sets it; remove it", key)
}

// labelKeys returns the keys of a LABEL as they are written. When the first
// word has a = every word is a pair; otherwise the line is one pair, the key
// being the first word by another rule of blanks.
func labelKeys(args string, escape rune) ([]string, error) {
	words := splitWords(args, escape)
	if len(words) == 0 {
		return nil, fmt.Errorf("LABEL needs at least one key=value")
	}
	if !strings.Contains(words[0], "=") {
		key, value := cutWord(args)
		if value == "" {
			return nil, fmt.Errorf("LABEL %s has no value", key)
		}
		return []string{key}, nil
	}
	keys := words[:0]
	for _, w := range words {
		key, _, ok := strings.Cut(w, "=")
		switch {
		case !ok:
			return nil, fmt.Errorf("LABEL: %s is not of the form key=value", w)
		case key == "":
			return nil, fmt.Errorf("LABEL: %s has no key", w)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
