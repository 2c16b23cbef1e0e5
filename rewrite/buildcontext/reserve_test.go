package buildcontext

import (
	"bytes"
	"errors"
	"testing"

	"sockguard/rewrite/internal/tartest"
)

// A context asks for the memory of its window and of the texts that are kept, and ends
// when it gets none.
func TestContextReserves(t *testing.T) {
	plain := tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM a\n"}, tartest.Item{Name: ".dockerignore", Body: "x\n"})
	for _, tt := range []struct {
		name    string
		context []byte
		want    int
	}{
		{"plain", plain, 2<<20 + 7 + 2},
		{"gzip", tartest.Gzip(t, plain), 2<<20 + 7 + 2},
		{"zstd", tartest.Zstd(t, plain), 10<<20 + 7 + 2},
	} {
		sum, asked := 0, 0
		o := Options{Reserve: func(n int) error { sum, asked = sum+n, asked+1; return nil }}
		if _, err := rewriteWith(&bytes.Buffer{}, bytes.NewReader(tt.context), o, marked); err != nil || sum != tt.want {
			t.Errorf("%s: asks for %d bytes (%v), want %d", tt.name, sum, err, tt.want)
		}
		for i := range asked {
			none, left := errors.New("none"), i
			o.Reserve = func(int) error {
				if left--; left < 0 {
					return none
				}
				return nil
			}
			var out bytes.Buffer
			if _, err := rewriteWith(&out, bytes.NewReader(tt.context), o, marked); err != none {
				t.Errorf("%s: the %d. time without memory: got %v", tt.name, i+1, err)
			}
			tartest.CheckCut(t, out.Bytes())
		}
	}
}
