package buildcontext

import (
	"strings"
	"testing"

	"sockguard/rewrite/internal/tartest"
)

// Bytes that engines from 23.0 on take for zstd are read as zstd, though
// archive/tar would find another context in them. The output can only be taken for
// a tar.
func TestContextReadsPolyglotsAsTheEngine(t *testing.T) {
	evil := tartest.Zstd(t, tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM evil"}))
	const skip = 0x01010101 // the name's bytes 4 to 7
	body := strings.Repeat("\x00", 8+skip-512) + string(evil)
	polyglot := tartest.Of(t, tartest.Item{Name: "P*M\x18\x01\x01\x01\x01", Body: body}, tartest.Item{Name: "Dockerfile", Body: "FROM good"})
	polyglot = polyglot[:8+skip+len(evil)]
	for _, in := range [][]byte{polyglot, tartest.Gzip(t, tartest.Of(t, tartest.Item{Name: "BZh9"}, tartest.Item{Name: "Dockerfile", Body: "FROM evil"}))} {
		out, s, err := rewriteAll(in, Options{})
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
