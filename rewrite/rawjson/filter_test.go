package rawjson

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

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

// A source that counts how often a large buffer was dropped.
type idleSource struct {
	io.Reader
	drops int
}

func (s *idleSource) Dropped() { s.drops++ }

// A stream does not keep the buffer of a large value, and loses nothing of what
// follows it.
func TestFilterStreamDropsLargeBuffers(t *testing.T) {
	large := `"` + strings.Repeat("x", 2*maxIdle) + `"`
	in := strings.Repeat(`"a"`+"\n"+large+"\n"+`"c""d"`+"\n", 3)
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "bytes": iotest.OneByteReader,
	} {
		src := &idleSource{Reader: reader(strings.NewReader(in))}
		var out strings.Builder
		if err := FilterStream(&out, src, Keep(func([]byte) (bool, error) { return true, nil })); err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat(`"a"`+"\n"+large+"\n"+`"c"`+"\n"+`"d"`+"\n", 3); out.String() != want || src.drops != 3 {
			t.Errorf("%s: %d bytes and %d drops, want %d bytes and 3 drops", name, out.Len(), src.drops, len(want))
		}
	}
}
