package buildcontext

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
	"sockguard/rewrite/internal/tartest"
)

// marked takes the place of dockerfile.Rewrite. Its result shows its input.
func marked(name string, text []byte, _ dockerfile.Options) (*dockerfile.Scanned, error) {
	return &dockerfile.Scanned{Text: append([]byte("built "+name+": "), text...)}, nil
}

func rewriteAll(context []byte, o Options) ([]byte, *dockerfile.Scanned, error) {
	var out bytes.Buffer
	s, err := rewriteWith(&out, bytes.NewReader(context), o, marked)
	return out.Bytes(), s, err
}

var (
	fromA     = tartest.Item{Name: "Dockerfile", Body: "FROM a"}
	ignoreAll = tartest.Item{Name: ".dockerignore", Body: "*.md\nDockerfile\n.dockerignore"}
)

// The rewritten text is the one that the engine would have built, and COPY sees
// the same files, or the context is refused.
func TestContextIsTheEngines(t *testing.T) {
	file := func(name, body string) tartest.Item { return tartest.Item{Name: name, Body: body} }
	link := func(name, to string) tartest.Item { return tartest.Item{Name: name, Link: to} }
	hard := func(name, to string) tartest.Item { return tartest.Item{Name: name, Hard: to} }
	big := strings.Repeat("#", maxFile+1)
	tests := []struct {
		name       string
		dockerfile string
		items      []tartest.Item
		refused    string // part of the reason
	}{
		{name: "plain", items: []tartest.Item{fromA, file("a/b", "c")}},
		{name: "unclean names", items: []tartest.Item{file("./a/../Dockerfile", "FROM a"), file("/b", "c")}},
		{name: "nothing", refused: "Cannot locate specified Dockerfile: Dockerfile"},
		{name: "other case", items: []tartest.Item{file("DOCKERFILE", "FROM b")}, refused: "Cannot locate"},
		{name: "lower case", items: []tartest.Item{file("dockerfile", "FROM b")}},
		{name: "both cases", items: []tartest.Item{fromA, file("dockerfile", "FROM b")}},
		{name: "no fallback for an unclean name", dockerfile: "./Dockerfile", items: []tartest.Item{file("dockerfile", "FROM b")},
			refused: "Cannot locate specified Dockerfile: ./Dockerfile"},
		{name: "another name", dockerfile: "d/x.Dockerfile", items: []tartest.Item{fromA, file("d/x.Dockerfile", "FROM b")}},
		{name: "clamped to the root", dockerfile: "../../d/x", items: []tartest.Item{file("d/x", "FROM b")}},
		{name: "outside the context (docker build -f)", dockerfile: ".dockerfile.0123", items: []tartest.Item{
			fromA, file(".dockerfile.0123", "FROM b"), file(".dockerignore", ".dockerfile.0123\n.dockerignore\n")}},
		{name: "directory", items: []tartest.Item{{Name: "Dockerfile", Dir: true}}, refused: "Dockerfile: this is a directory"},
		{name: "implied directory", items: []tartest.Item{file("Dockerfile/x", ""), file("dockerfile", "FROM b")}, refused: "this is a directory"},
		{name: "root", dockerfile: "/", refused: "this is a directory"},
		{name: "empty", items: []tartest.Item{file("Dockerfile", "")}, refused: "the Dockerfile (Dockerfile) cannot be empty"},
		{name: "too large", items: []tartest.Item{file("Dockerfile", big)}, refused: "this file has 1048577 bytes"},
		{name: "too large, not asked for", items: []tartest.Item{fromA, file("dockerfile", big)}},
		{name: "outside", items: []tartest.Item{file("../x", "")}, refused: "outside the build context"},

		{name: "duplicates", items: []tartest.Item{file("Dockerfile", "FROM a"), file("x", "1"), file("./Dockerfile", "FROM b")}},
		{name: "link replaced by a file", items: []tartest.Item{link("Dockerfile", "x"), file("Dockerfile", "FROM b")}},
		{name: "file replaced by a link", items: []tartest.Item{fromA, link("Dockerfile", "d/x"), file("d/x", "FROM b")}},
		{name: "file replaced by a directory", items: []tartest.Item{fromA, {Name: "Dockerfile", Dir: true}}, refused: "directory"},
		{name: "directory replaced by a file", dockerfile: "d/x", items: []tartest.Item{file("d/x", "FROM a"), file("d", "")}, refused: "leads to a file"},
		{name: "directory replaced by a link", dockerfile: "d/x", items: []tartest.Item{file("d/x", "FROM a"), link("d", "e"), file("e/x", "FROM b")}},
		{name: "directories merge", dockerfile: "d/x", items: []tartest.Item{file("d/x", "FROM a"), {Name: "d", Dir: true}, file("d/y", "")}},

		{name: "link to a later file", items: []tartest.Item{link("Dockerfile", "docker/prod"), file("docker/prod", "FROM a")}},
		{name: "link to an earlier file of a likely name", items: []tartest.Item{file("docker/prod.Dockerfile", "FROM a"), link("x", "docker/prod.Dockerfile")},
			dockerfile: "x"},
		{name: "link to an earlier file", items: []tartest.Item{file("a", "FROM a"), link("Dockerfile", "a")}, refused: "name the file itself"},
		{name: "link to nothing", items: []tartest.Item{link("Dockerfile", "a"), file("dockerfile", "FROM b")}},
		{name: "link below a file", items: []tartest.Item{file("a", ""), link("Dockerfile", "a/b"), file("dockerfile", "FROM b")}, refused: "leads to a file"},
		{name: "link to an earlier directory", items: []tartest.Item{file("d/x", ""), link("Dockerfile", "d"), file("dockerfile", "FROM b")},
			refused: "leads to a file"},
		{name: "link to the lower case", items: []tartest.Item{link("Dockerfile", "dockerfile"), file("dockerfile", "FROM b")}},
		{name: "link out of the root", items: []tartest.Item{link("Dockerfile", "../../x"), file("x", "FROM b")}},
		{name: "absolute link", dockerfile: "d/Dockerfile", items: []tartest.Item{link("d/Dockerfile", "/x"), file("x", "FROM b")}},
		{name: "chain of links", items: []tartest.Item{link("Dockerfile", "a"), link("a", "d/b"), link("d", "e"), file("e/b", "FROM b")}},
		{name: "loop of links", items: []tartest.Item{link("Dockerfile", "a"), link("a", "Dockerfile")}, refused: "too many links"},
		{name: "loop that is not asked for", items: []tartest.Item{fromA, link("dockerfile", "a"), link("a", "dockerfile")}},
		{name: "linked directory", dockerfile: "s/Dockerfile", items: []tartest.Item{link("s", "d"), file("d/Dockerfile", "FROM b")}},
		{name: "chain of links of likely names", items: []tartest.Item{link("d.Dockerfile", "e"), link("Dockerfile", "d.Dockerfile"), file("e", "FROM b")}},
		{name: "written through a link", items: []tartest.Item{fromA, link("s", "."), file("s/x", "FROM b")}},
		{name: "written through a link on the way", dockerfile: "s/Dockerfile", items: []tartest.Item{fromA, link("s", "."), file("s/Dockerfile", "FROM b")}},

		{name: "hard link to an earlier file of a likely name", items: []tartest.Item{file("a.dockerfile", "FROM a"), hard("Dockerfile", "a.dockerfile")}},
		{name: "hard link to an earlier file", items: []tartest.Item{file("a", "FROM a"), hard("Dockerfile", "a")}, refused: "name the file itself"},
		{name: "hard link to the Dockerfile", items: []tartest.Item{fromA, hard("b", "Dockerfile"), file("Dockerfile", "FROM b")}},
		{name: "hard link to a link", items: []tartest.Item{link("a", "d/x"), hard("Dockerfile", "a"), file("d/x", "FROM b")}, refused: "send the symbolic link twice"},

		{name: "ignored", items: []tartest.Item{ignoreAll, fromA, file("x.md", "sent, so used")}},
		{name: "ignored, after the Dockerfile", items: []tartest.Item{fromA, ignoreAll}},
		{name: "ignored by a parent", dockerfile: "d/Dockerfile", items: []tartest.Item{file(".dockerignore", "d\n.dockerignore"), file("d/Dockerfile", "FROM a")}},
		{name: "not ignored", items: []tartest.Item{file(".dockerignore", "*\n!Dockerfile\n"), fromA}},
		{name: "ours cannot be unignored", items: []tartest.Item{file(".dockerignore", "*\n!.sock*"), fromA}},
		{name: "ignored behind a link", items: []tartest.Item{ignoreAll, link("Dockerfile", "d/x"), {Name: "d", Dir: true}, file("d/x", "FROM a")}},
		{name: "directory, ignored behind a link", items: []tartest.Item{ignoreAll, file("d/y", ""), link("Dockerfile", "d"), file("d", "FROM a")},
			refused: "a link leads to it"},
		{name: "ignored and linked", items: []tartest.Item{ignoreAll, fromA, hard("x", "Dockerfile")}, refused: "a link leads to it"},
		{name: "ignore file with a byte order mark", items: []tartest.Item{file(".dockerignore", "\uFEFFDockerfile\r\n.dockerignore\r\n"), fromA}},
		{name: "linked ignore file", items: []tartest.Item{link(".dockerignore", "ignore"), file("ignore", ".dockerignore"), fromA}},
		{name: "ignore file with a bad pattern", items: []tartest.Item{file(".dockerignore", "["), fromA}, refused: ".dockerignore: this file has a bad pattern"},
		{name: "ignore file with a long line", items: []tartest.Item{file(".dockerignore", big[:70000]), fromA}, refused: ".dockerignore: this file cannot be read"},
		{name: "ignore file too large", items: []tartest.Item{file(".dockerignore", big), fromA}, refused: "1048577 bytes"},
		{name: "ignore directory", items: []tartest.Item{file(".dockerignore/x", ""), fromA}, refused: ".dockerignore: this is a directory"},

		{name: "reserved name", items: []tartest.Item{fromA, file(DockerfileName, "FROM evil"), link("s", "."), file("s/"+DockerfileName, "FROM evil")}},
		{name: "reserved link", items: []tartest.Item{link(DockerfileName, "Dockerfile"), fromA}},
		{name: "reserved directory", items: []tartest.Item{file(DockerfileName+"/x", ""), fromA}},
		{name: "reserved name asked for", dockerfile: DockerfileName, items: []tartest.Item{
			fromA, file(DockerfileName, "FROM inner"), file(".dockerignore", ".dockerignore\n"+DockerfileName+"\n")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkEngine(t, tartest.Of(t, tt.items...), tt.dockerfile, tt.refused)
		})
	}
}

func checkEngine(t *testing.T, context []byte, dockerfile, refused string) {
	t.Helper()
	out, _, err := rewriteAll(context, Options{Dockerfile: dockerfile})
	if refused != "" {
		if _, ok := errors.AsType[*rewrite.Refusal](err); !ok || !strings.Contains(err.Error(), refused) {
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
	showIgnoreAsSent(want.Files, got.Files)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the engine's build changes (-without +with):\n%s", diff)
	}
}

// A policy that only watches has the refused Dockerfile built as it is.
func TestContextExcuses(t *testing.T) {
	const text = "FROM a\nLABEL k=v\n"
	var src, dst bytes.Buffer
	w := tar.NewWriter(&src)
	w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(text))})
	io.WriteString(w, text)
	w.Close()
	var excused []string
	_, err := Rewrite(&dst, &src, Options{
		Rewrite: dockerfile.Options{Labels: []rewrite.Label{{Key: "k", Value: "me"}}, Guarded: []string{"k"}},
		Excuse:  func(r *rewrite.Refusal) { excused = append(excused, r.File) },
	})
	if err != nil || len(excused) != 1 {
		t.Fatalf("got %v, excused %q", err, excused)
	}
	for r := tar.NewReader(&dst); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == DockerfileName {
			if got, _ := io.ReadAll(r); string(got) != text {
				t.Errorf("got %q, want %q", got, text)
			}
			return
		}
	}
}
