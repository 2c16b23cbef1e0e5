package dockerfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile/shellword"
)

// labelLine returns the LABEL instruction that sets labels, as a line. It uses
// single quotes: nothing is special inside them, whatever the escape directive
// says, and a line that ends in one is not continued.
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

// label reads a LABEL. It refuses one that sets a guarded key, or could set one.
// escape applies when args is split into words, each of expanding when a key is
// expanded.
func (p *reader) label(flags []shellword.Flag, args string, escape rune, expanding string) error {
	if len(flags) > 0 {
		return fmt.Errorf("LABEL has no flag %s", flags[0].Text)
	}
	keys, err := labelKeys(args, escape)
	if err != nil {
		return err
	}
	for _, escape := range expanding {
		for _, key := range keys {
			if err := p.guardKey(key, escape); err != nil {
				return err
			}
		}
	}
	return nil
}

// guardKey refuses a key, as written, that is or could become a guarded one.
func (p *reader) guardKey(key string, escape rune) error {
	text, err := p.Expand(key, escape, nil)
	switch {
	case err == nil && slices.Contains(p.o.Guarded, text):
		return fmt.Errorf("LABEL may not set %s: sockguard sets it; remove it", text)
	case err == nil:
		return nil
	case err != shellword.ErrVariable:
		return fmt.Errorf("LABEL: the key %s: %w", key, err)
	}
	for _, guarded := range p.o.Guarded {
		if strings.HasPrefix(guarded, text) {
			return fmt.Errorf("LABEL: the key %s could become %s, which sockguard sets; write it without variables", key, guarded)
		}
	}
	return nil
}

// labelKeys returns the keys of a LABEL as they are written. If the first word
// has a =, every word is a pair. Otherwise the whole line is one pair, and its key
// ends at the first ASCII blank.
func labelKeys(args string, escape rune) ([]string, error) {
	words := shellword.Words(args, escape)
	if len(words) == 0 {
		return nil, errors.New("LABEL needs at least one key=value")
	}
	if !strings.Contains(words[0], "=") {
		key, value := shellword.Cut(args)
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
