package tartest

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Gzip returns b, compressed.
func Gzip(t testing.TB, b []byte) []byte {
	return squeezed(t, b, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

// Zstd returns b, compressed.
func Zstd(t testing.TB, b []byte, o ...zstd.EOption) []byte {
	return squeezed(t, b, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, o...) })
}

// XZ returns b, compressed.
func XZ(t testing.TB, b []byte, c xz.WriterConfig) []byte {
	return squeezed(t, b, func(w io.Writer) (io.WriteCloser, error) { return c.NewWriter(w) })
}

func squeezed(t testing.TB, b []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// ReadFile reads a file.
func ReadFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ReadGzip reads a file that gzip has compressed.
func ReadGzip(t testing.TB, name string) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(ReadFile(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
