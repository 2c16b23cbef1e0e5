package rewrite

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Label is one image label.
type Label struct{ Key, Value string }

// Check reports why a label cannot be written into a Dockerfile. A key may have
// ASCII letters, digits and . _ / -; a value is UTF-8 without control characters.
func (l Label) Check() error {
	switch {
	case l.Key == "" || strings.ContainsFunc(l.Key, notInKey):
		return fmt.Errorf("label key %q: only letters, digits and . _ / - can be written", l.Key)
	case !utf8.ValidString(l.Value) || strings.ContainsFunc(l.Value, unicode.IsControl):
		return fmt.Errorf("label %s: the value %q is not printable text", l.Key, l.Value)
	}
	return nil
}

func notInKey(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '-' || r > '9') && r != '_' // - . / and digits
}
