package rewrite

import (
	"strings"
	"testing"
)

// What engines from 23.0 on take for zstd is read as zstd, though archive/tar
// would find another context in the same bytes; and what follows has no way to
// be taken for anything but a tar.
func TestContextReadsPolyglotsAsTheEngine(t *testing.T) {
	evil := zstded(t, tarOf(t, item{name: "Dockerfile", body: "FROM evil"}))
	const skip = 0x01010101 // the name's bytes 4 to 7
	body := strings.Repeat("\x00", 8+skip-512) + string(evil)
	polyglot := tarOf(t, item{name: "P*M\x18\x01\x01\x01\x01", body: body}, item{name: "Dockerfile", body: "FROM good"})
	polyglot = polyglot[:8+skip+len(evil)]
	for _, in := range [][]byte{polyglot, gzipped(t, tarOf(t, item{name: "BZh9"}, item{name: "Dockerfile", body: "FROM evil"}))} {
		out, s, err := rewriteAll(in, ContextOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if want := "built Dockerfile: FROM evil"; string(s.Text) != want {
			t.Errorf("got %q, want %q", s.Text, want)
		}
		build, err := unpackAsEngine(t, out, DockerfileName)
		if err != nil || build.Text != string(s.Text) {
			t.Errorf("the engine builds %q (%v), want %q", build.Text, err, s.Text)
		}
	}
}
