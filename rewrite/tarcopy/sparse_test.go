package tarcopy

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"sockguard/rewrite/internal/tartest"
)

// sparse is an archive of files whose maps of holes have n entries of nothing.
func sparse(t *testing.T, n, files int) []byte {
	text := fmt.Sprintf("%d\n%s", n, strings.Repeat("0\n0\n", n))
	text += strings.Repeat("\x00", -len(text)&(blockSize-1))
	var b bytes.Buffer
	for range files {
		record := func(k, v string) string {
			s := " " + k + "=" + v + "\n"
			return fmt.Sprintf("%d%s", len(s)+2, s)
		}
		pax := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.name", "f") + record("GNU.sparse.realsize", "0")
		x := tartest.Header(t, tar.Header{Name: "x", Typeflag: tar.TypeReg, Size: int64(len(pax))})
		x[156] = 'x'
		tartest.Resum(x)
		b.Write(x)
		b.WriteString(pax + strings.Repeat("\x00", blockSize-len(pax)))
		b.Write(tartest.Header(t, tar.Header{Name: "f", Typeflag: tar.TypeReg, Size: int64(len(text))}))
		b.WriteString(text)
	}
	b.Write(make([]byte, 2*blockSize))
	return b.Bytes()
}

// A map of holes takes more memory than its text, which archive/tar bounds by 1 MiB.
func TestSparseMaps(t *testing.T) {
	for n, want := range map[int]string{250_000: "", 1 << 20: "sparse map too long"} {
		archive := sparse(t, n, 2)
		grown := tartest.HeapGrowth(func() {
			c := New("archive", io.Discard, bytes.NewReader(archive), 0)
			defer c.Close()
			err := c.Each(func() error { return c.Next(func(*tar.Header) error { return nil }) })
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%d entries: got %v, want %q", n, err, want)
			}
		})
		t.Logf("%d entries: the heap grew by %d MiB", n, grown>>20)
		if grown > 48<<20 {
			t.Errorf("%d entries: the heap grew by %d MiB", n, grown>>20)
		}
	}
}
