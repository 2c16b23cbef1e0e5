package rewrite

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// itemsOf makes a context out of fuzz input: few names, many collisions.
func itemsOf(data []byte) (dockerfile string, items []item) {
	names := []string{
		"Dockerfile", "dockerfile", ".dockerignore", "s", "d", "s/Dockerfile", "d/Dockerfile", "d/s", "d/s/Dockerfile",
		"Dockerfile/x", "./Dockerfile", "/d/../Dockerfile", "d/dockerfile", "x", "s/x", DockerfileName, "s/.dockerignore",
		"x.dockerfile", "d/e/f", "s/" + DockerfileName,
	}
	targets := []string{
		"Dockerfile", "dockerfile", ".", "..", "/", "d", "s", "x", "d/Dockerfile", "../Dockerfile", "/d", "nowhere",
		"../../d/s", "s/x", "x.dockerfile", ".dockerignore", "d/e",
	}
	bodies := []string{"A", "B", "Dockerfile", ".dockerignore", "*", "*\n!Dockerfile", "d", "**/Dockerfile", "#", "["}
	asked := []string{"", "Dockerfile", "d/Dockerfile", "s/Dockerfile", "./Dockerfile", "x", DockerfileName, "../d/x"}
	if len(data) == 0 {
		return "", nil
	}
	dockerfile = asked[int(data[0])%len(asked)]
	for data = data[1:]; len(data) >= 3 && len(items) < 12; data = data[3:] {
		it := item{name: names[int(data[1])%len(names)]}
		switch data[0] % 8 {
		case 0:
			it.link = targets[int(data[2])%len(targets)]
		case 1:
			it.hard = targets[int(data[2])%len(targets)]
		case 2:
			it.dir = true
		default:
			it.body = bodies[int(data[2])%len(bodies)]
		}
		items = append(items, it)
	}
	return dockerfile, items
}

// Whatever names and links play, the engine builds what it would have built and
// COPY sees the same files; or the context is refused.
func FuzzContextIsTheEngines(f *testing.F) {
	f.Add([]byte("\x00\x03\x00\x00\x00\x03\x02\x03\x05\x01"))
	f.Add([]byte("\x03\x00\x03\x02\x03\x05\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dockerfile, items := itemsOf(data)
		context := tarOf(t, items...)
		out, _, err := rewriteAll(context, ContextOptions{Dockerfile: dockerfile})
		if err != nil {
			return
		}
		want, err := unpackAsEngine(t, context, dockerfile)
		if errors.Is(err, errUnpack) {
			return // and may unpack rewritten, with what dangled no longer dangling
		}
		got, errGot := unpackAsEngine(t, out, DockerfileName)
		if err != nil || errGot != nil {
			t.Fatalf("%q %+v\nwithout sockguard: %v\nwith: %v", dockerfile, items, err, errGot)
		}
		_, got.Text, _ = strings.Cut(got.Text, ": ")
		showIgnoreAsSent(want.Files, got.Files)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q %+v\nthe engine's build changes (-without +with):\n%s", dockerfile, items, diff)
		}
	})
}

// showIgnoreAsSent levels the documented differences: a .dockerignore that does
// not exclude itself is a plain file with one line more.
func showIgnoreAsSent(want, got map[string]string) {
	if text, ok := strings.CutSuffix(got[".dockerignore"], DockerfileName+`\n"`); ok {
		got[".dockerignore"] = strings.TrimSuffix(text, `\n`) + `"`
	}
	if strings.HasPrefix(want[".dockerignore"], "L") {
		delete(want, ".dockerignore")
		delete(got, ".dockerignore")
	}
	delete(want, DockerfileName)
}
