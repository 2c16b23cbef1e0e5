package rawjson

import (
	"strings"
	"testing"
)

func TestTooMany(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int // names and values
		name string
	}{
		{`1`, 1, "number"},
		{`{}`, 1, "empty object"},
		{`[]`, 1, "empty list"},
		{`{"a":1,"b":[1,2,{}]}`, 8, "object"},
		{`"` + strings.Repeat(",", 100) + `"`, 1, "separators in a string"},
		{`[` + strings.Repeat(`"[{,:",`, 99) + `1]`, 101, "strings of separators"},
		{strings.Repeat("[", 500) + strings.Repeat("]", 500), 500, "deep"},
	} {
		if TooMany([]byte(tt.in), tt.n) || !TooMany([]byte(tt.in), tt.n-1) {
			t.Errorf("%s: got another number than %d", tt.name, tt.n)
		}
	}
}
