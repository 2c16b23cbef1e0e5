// Package tartest makes archives for tests and watches what becomes of them.
package tartest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// An item is one entry of an archive; its type follows from what is set.
type Item struct {
	Name       string
	Body       string
	Link, Hard string
	Dir        bool
}

// Of returns a tar of items.
func Of(t testing.TB, items ...Item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, it := range items {
		h := &tar.Header{Name: it.Name, Mode: 0o644, ModTime: time.Unix(1700000000, 0), Typeflag: tar.TypeReg}
		switch {
		case it.Link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, it.Link
		case it.Hard != "":
			h.Typeflag, h.Linkname = tar.TypeLink, it.Hard
		case it.Dir:
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		default:
			h.Size = int64(len(it.Body))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, it.Body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Part returns a tar of items without its end, so that more can follow.
func Part(t testing.TB, items ...Item) []byte {
	b := Of(t, items...)
	return b[:len(b)-1024]
}

// Header returns the header of an entry.
func Header(t testing.TB, h tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Resum sets the checksum of an edited header.
func Resum(block []byte) {
	sum := 8 * int(' ')
	for i, c := range block[:512] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
}

// CheckCut checks that no reader can take out for a complete archive.
func CheckCut(t testing.TB, out []byte) {
	t.Helper()
	tr := tar.NewReader(bytes.NewReader(out))
	for {
		_, err := tr.Next()
		if err == io.EOF {
			t.Error("the cut output is a complete archive")
		}
		if err != nil {
			return
		}
	}
}

// A Filler reads N bytes of any value, at no cost.
type Filler struct{ N int64 }

func (r *Filler) Read(p []byte) (int, error) {
	if r.N == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), r.N)
	r.N -= n
	return int(n), nil
}

// Noise returns n bytes that do not compress, which compressors store as they are.
func Noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// HeapGrowth runs f and returns how much the heap grows at most meanwhile, garbage
// included.
func HeapGrowth(f func()) uint64 {
	heap := func() uint64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	runtime.GC()
	base, peak := heap(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.Tick(time.Millisecond); ; {
			peak = max(peak, heap())
			select {
			case <-stop:
				return
			case <-tick:
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak - min(base, peak)
}
