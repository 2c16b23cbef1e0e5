package rawjson

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// noB leaves "b" out and fails at "x".
func noB(item jsontext.Value) (jsontext.Value, error) {
	if string(item) == `"x"` {
		return nil, errors.New("no x")
	}
	return Keep(func(item []byte) (bool, error) { return string(item) != `"b"`, nil })(item)
}

func TestFilterArray(t *testing.T) {
	for _, tt := range []struct{ in, want, err string }{
		{in: `[]`, want: "[]\n"},
		{in: `null`, want: "null\n"},
		{in: ` ["a", "b", {"c": 1, "c": 2}]`, want: `["a",{"c": 1, "c": 2}]` + "\n"},
		{in: `["b"]`, want: "[]\n"},
		{in: `["a","x"]`, err: "copy list: no x"},
		{in: `["a"`, err: "copy list: "},
		{in: `{}`, err: "copy list: got an object, want a list"},
	} {
		var out strings.Builder
		err := FilterArray(&out, strings.NewReader(tt.in), noB)
		if out.String() != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: got %q and error %v, want %q and %q", tt.in, out.String(), err, tt.want, tt.err)
		}
	}
}

// Every value of a stream leaves in a write of its own.
func TestFilterStream(t *testing.T) {
	var out writes
	err := FilterStream(&out, strings.NewReader("\"a\"\n\"b\" {\"c\":1}\"x\""), noB)
	if got := strings.Join(out, "|"); got != "\"a\"\n|{\"c\":1}\n" || err == nil || err.Error() != "copy stream: no x" {
		t.Errorf("got %q and error %v", got, err)
	}
	if err := FilterStream(&out, strings.NewReader("\"a\"\n"), noB); err != nil {
		t.Errorf("a stream that ends between values: %v", err)
	}
}

type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}
