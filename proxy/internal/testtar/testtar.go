// Package testtar makes and reads the tar archives of the proxy's tests.
package testtar

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"
)

// Make returns an archive of files: names and texts in turn.
func Make(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))})
		io.WriteString(w, files[i+1])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Text returns the text of the first file called name in an archive.
func Text(t *testing.T, archive, name string) string {
	t.Helper()
	for r := tar.NewReader(strings.NewReader(archive)); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("%s in the archive: %v", name, err)
		}
		if h.Name == name {
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
}
