package buildcontext

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sockguard/rewrite/internal/tartest"
)

// largeFiles is a context with count files of size bytes each.
func largeFiles(t testing.TB, count int, size int64) (io.Reader, int64) {
	head := tartest.Header(t, tar.Header{Name: "large", Size: size, Mode: 0o644})
	parts := []io.Reader{bytes.NewReader(tartest.Part(t, fromA))}
	for range count {
		parts = append(parts, bytes.NewReader(head), &tartest.Filler{N: size})
	}
	return io.MultiReader(parts...), int64(count) * (size + 512)
}

// smallFiles is a context with times 1000 files of size bytes each.
func smallFiles(t testing.TB, times, size int) (io.Reader, int64) {
	var items []tartest.Item
	for i := range 1000 {
		items = append(items, tartest.Item{Name: fmt.Sprintf("node_modules/package-%d/lib/file-%d.js", i/10, i), Body: string(make([]byte, size))})
	}
	p := tartest.Part(t, items...)
	parts := []io.Reader{bytes.NewReader(tartest.Part(t, fromA))}
	for range times {
		parts = append(parts, bytes.NewReader(p))
	}
	return io.MultiReader(parts...), int64(times) * int64(len(p))
}

// tarOfLarge is the start of a context, up to the header of a file of size bytes.
func tarOfLarge(t testing.TB, size int64) []byte {
	return append(tartest.Part(t, fromA), tartest.Header(t, tar.Header{Name: "large", Size: size, Mode: 0o644})...)
}

// A partReader makes a context of n parts, one at a time.
type partReader struct {
	n, i int
	part func(i int) io.Reader
	now  io.Reader
}

func (r *partReader) Read(p []byte) (int, error) {
	for {
		if r.now != nil {
			if n, err := r.now.Read(p); err == nil {
				return n, nil
			}
		}
		if r.i == r.n {
			return 0, io.EOF
		}
		r.now = r.part(r.i)
		r.i++
	}
}

// anotherDockerfile returns parts of a context. Each makes Dockerfile a link to a
// new file of the largest size.
func anotherDockerfile(t testing.TB) func(int) io.Reader {
	comment := bytes.Repeat([]byte{'#'}, maxFile)
	return func(i int) io.Reader {
		name := fmt.Sprintf("d/%d", i)
		return io.MultiReader(
			bytes.NewReader(tartest.Part(t, tartest.Item{Name: "Dockerfile", Link: name})),
			bytes.NewReader(tartest.Header(t, tar.Header{Name: name, Size: maxFile})),
			bytes.NewReader(comment))
	}
}

// The heap does not grow with the context.
func TestContextConstantMemory(t *testing.T) {
	window := tartest.Zstd(t, make([]byte, 64<<20), zstd.WithWindowSize(8<<20), zstd.WithEncoderLevel(zstd.SpeedFastest))
	tests := []struct {
		name  string
		src   func() io.Reader
		bound uint64
	}{
		{"4 GiB in large files", func() io.Reader { r, _ := largeFiles(t, 4, 1<<30); return r }, 8 << 20},
		{"300,000 small files", func() io.Reader { r, _ := smallFiles(t, 300, 100); return r }, 8 << 20},
		{"100,000 links", func() io.Reader { return &partReader{n: 1000, part: unrelatedLinks(t)} }, 16 << 20},
		{"100 large Dockerfiles", func() io.Reader { return &partReader{n: 100, part: anotherDockerfile(t)} }, 48 << 20},
		{"zstd with the largest window", func() io.Reader {
			return io.MultiReader(bytes.NewReader(tartest.Zstd(t, tarOfLarge(t, 64<<20))), bytes.NewReader(window))
		}, 16 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := tt.src()
			grown := tartest.HeapGrowth(func() {
				if _, err := rewriteWith(io.Discard, src, Options{}, marked); err != nil {
					t.Error(err)
				}
			})
			t.Logf("the heap grew by %d KiB", grown>>10)
			if grown > tt.bound {
				t.Errorf("the heap grew by %d bytes, want at most %d", grown, tt.bound)
			}
		})
	}
}

func BenchmarkContext(b *testing.B) {
	gz := func(r io.Reader) []byte {
		var out bytes.Buffer
		w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
		if _, err := io.Copy(w, r); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		return out.Bytes()
	}
	benchmarks := []struct {
		name string
		src  func() (io.Reader, int64)
	}{
		{"large", func() (io.Reader, int64) { return largeFiles(b, 4, 256<<20) }},
		{"small", func() (io.Reader, int64) { return smallFiles(b, 100, 2000) }},
		{"gzip", func() (io.Reader, int64) { r, n := smallFiles(b, 10, 2000); return bytes.NewReader(gz(r)), n }},
	}
	for _, bm := range benchmarks {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				src, n := bm.src()
				b.SetBytes(n)
				b.StartTimer()
				if _, err := rewriteWith(io.Discard, src, Options{}, marked); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
