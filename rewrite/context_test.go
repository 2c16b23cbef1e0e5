package rewrite

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An item is one entry of a test's context; its type follows from what is set.
type item struct {
	name       string
	body       string
	link, hard string
	dir        bool
}

func tarOf(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, it := range items {
		h := &tar.Header{Name: it.name, Mode: 0o644, ModTime: time.Unix(1700000000, 0), Typeflag: tar.TypeReg}
		switch {
		case it.link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, it.link
		case it.hard != "":
			h.Typeflag, h.Linkname = tar.TypeLink, it.hard
		case it.dir:
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		default:
			h.Size = int64(len(it.body))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, it.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// marked stands for the Dockerfile rewrite: what it returns tells its input.
func marked(name string, text []byte, _ DockerfileOptions) (*Scanned, error) {
	return &Scanned{Text: append([]byte("built "+name+": "), text...)}, nil
}

func rewriteAll(context []byte, o ContextOptions) ([]byte, *Scanned, error) {
	var out bytes.Buffer
	s, err := rewriteContext(&out, bytes.NewReader(context), o, marked)
	return out.Bytes(), s, err
}

var (
	fromA     = item{name: "Dockerfile", body: "FROM a"}
	ignoreAll = item{name: ".dockerignore", body: "*.md\nDockerfile\n.dockerignore"}
)

// The text is the one that the engine would have built, and COPY sees what it
// would have seen; or the context is refused.
func TestContextIsTheEngines(t *testing.T) {
	big := strings.Repeat("x", maxFile+1)
	tests := []struct {
		name       string
		dockerfile string
		items      []item
		refused    string // part of the reason
	}{
		{name: "plain", items: []item{fromA, {name: "a/b", body: "c"}}},
		{name: "nothing", refused: "Cannot locate specified Dockerfile: Dockerfile"},
		{name: "lower case", items: []item{{name: "dockerfile", body: "FROM b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_ = big
			checkEngine(t, tarOf(t, tt.items...), tt.dockerfile, tt.refused)
		})
	}
}

func checkEngine(t *testing.T, context []byte, dockerfile, refused string) {
	t.Helper()
	out, _, err := rewriteAll(context, ContextOptions{Dockerfile: dockerfile})
	if refused != "" {
		if _, ok := errors.AsType[*Refusal](err); !ok || !strings.Contains(err.Error(), refused) {
			t.Fatalf("got error %v, want a refusal with %q", err, refused)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	want, err := unpackAsEngine(t, context, dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpackAsEngine(t, out, DockerfileName)
	if err != nil {
		t.Fatal(err)
	}
	_, got.Text, _ = strings.Cut(got.Text, ": ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the engine's build changes (-without +with):\n%s", diff)
	}
}

// checkCut checks that no reader can take out for a complete archive.
func checkCut(t testing.TB, out []byte) {
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
