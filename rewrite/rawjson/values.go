package rawjson

import (
	"bytes"
)

// TooMany reports whether JSON text has more than limit names and values. Decoding
// one takes tens of bytes of memory even if its text has only two. Text that is not
// JSON has as many as stand before the error.
func TooMany(text []byte, limit int) bool {
	// Every name and every value but the outermost follows one of these.
	most := 1
	for _, c := range []string{",", ":", "[", "{"} {
		most += bytes.Count(text, []byte(c))
	}
	if most <= limit {
		return false
	}
	d := NewDecoder(bytes.NewBuffer(text)) // which the decoder reads without a copy
	for n := 0; n <= limit; {
		token, err := d.ReadToken()
		if err != nil {
			return false
		}
		if kind := token.Kind(); kind != ']' && kind != '}' {
			n++
		}
	}
	return true
}
