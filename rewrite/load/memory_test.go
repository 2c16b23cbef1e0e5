package load

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"sockguard/rewrite/internal/tartest"
)

// A layerReader makes the beginning of an archive: n files, with a body and a number each
// or, if size is not 0, of no particular contents.
type layerReader struct {
	t    testing.TB
	n    int
	body string
	size int64
	file io.Reader
}

func (r *layerReader) Read(p []byte) (int, error) {
	for {
		if r.file != nil {
			if n, err := r.file.Read(p); err == nil {
				return n, nil
			}
		}
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		number := ""
		if r.size == 0 {
			number = fmt.Sprint(r.n)
		}
		size := len(r.body) + len(number)
		head := tartest.Header(r.t, tar.Header{Name: fmt.Sprintf("layers/%d", r.n), Size: max(r.size, int64(size)), Mode: 0o644})
		// The body is not copied, so that what is measured is not the garbage made here.
		r.file = io.MultiReader(bytes.NewReader(head), strings.NewReader(r.body), strings.NewReader(number),
			bytes.NewReader(make([]byte, -size&511)), &tartest.Filler{N: r.size})
	}
}

func layers(t testing.TB, n int, body string, size int64) io.Reader {
	image := tartest.Of(t, saved(`[{"Config":"0.json"}]`, "{}")...)
	return io.MultiReader(&layerReader{t: t, n: n, body: body, size: size}, bytes.NewReader(image))
}

// Layers are not held, and of JSON no more than the budget.
func TestLoadConstantMemory(t *testing.T) {
	const spilled = "is not among the JSON that is read, 16 MiB of each archive"
	tests := []struct {
		name    string
		src     io.Reader
		bound   uint64
		refused string
	}{
		{name: "2 GiB layer", src: layers(t, 1, "", 2<<30), bound: 2 << 20},
		{name: "20,000 layers", src: layers(t, 20000, "layer", 0), bound: 8 << 20},
		{name: "large JSON files", src: layers(t, 1000, "{"+strings.Repeat(" ", 1<<16), 0), bound: 3 * maxKeptJSON, refused: spilled},
		{name: "many JSON files", src: layers(t, 40000, "{", 0), bound: 3 * maxKeptJSON, refused: spilled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			grown := tartest.HeapGrowth(func() { err = Rewrite(io.Discard, tt.src, loadMine) })
			t.Logf("the heap grew by %d KiB", grown>>10)
			if grown > tt.bound {
				t.Errorf("the heap grew by %d bytes, want at most %d", grown, tt.bound)
			}
			if (err == nil) != (tt.refused == "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("got error %v, want one with %q", err, tt.refused)
			}
		})
	}
}
