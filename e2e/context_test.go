package e2e

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuildInputs(t *testing.T) {
	need(t)
	g := newGuard(t)
	const files = `
-- Dockerfile --
FROM @BASE@
COPY . /all
RUN tree /all > /tree
CMD ["cat", "/tree"]
-- other --
FROM @BASE@
RUN echo other > /said
CMD ["cat", "/said"]
-- sub/Dockerfile.deep --
FROM @BASE@
COPY sub/note /said
RUN cat /said
CMD ["cat", "/said"]
-- sub/note --
deep
-- secret --
s
-- .dockerignore --
secret
-- from-stdin --
FROM @BASE@
COPY sub/note /said
RUN cat /said
CMD ["cat", "/said"]
-- no-context --
FROM @BASE@
RUN echo alone > /said
CMD ["cat", "/said"]
`
	const tree = ".dockerignore\nDockerfile\nfrom-stdin\nno-context\nother\nsub\nsub/Dockerfile.deep\nsub/note"
	// What a .dockerignore names, the client leaves out, not the engine.
	const treeOfTar = ".dockerignore\nDockerfile\nfrom-stdin\nno-context\nother\nsecret\nsub\nsub/Dockerfile.deep\nsub/note"
	for _, tt := range []struct {
		name  string
		args  []string // DIR is the project
		stdin func(*testing.T, project) []byte
		want  string
	}{
		{"directory", []string{"DIR"}, nil, tree},
		{"compress", []string{"--compress", "DIR"}, nil, tree},
		{"tar on stdin", []string{"-"}, func(t *testing.T, p project) []byte { return p.tar(t) }, treeOfTar},
		{"gzip on stdin", []string{"-"}, func(t *testing.T, p project) []byte { return gzipped(t, p.tar(t)) }, treeOfTar},
		{"tar on stdin, other file", []string{"-f", "other", "-"}, func(t *testing.T, p project) []byte { return p.tar(t) }, "other"},
		{"Dockerfile on stdin", []string{"-"}, func(t *testing.T, p project) []byte { return p.file(t, "no-context") }, "alone"},
		{"other file", []string{"-f", "DIR/other", "DIR"}, nil, "other"},
		{"file on stdin", []string{"-f", "-", "DIR"}, func(t *testing.T, p project) []byte { return p.file(t, "from-stdin") }, "deep"},
		{"file in a subfolder", []string{"-f", "DIR/sub/Dockerfile.deep", "DIR"}, nil, "deep"},
		{"file outside the context", []string{"-f", "DIR/no-context", "DIR/sub"}, nil, "alone"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, files)
			trace := e2e.trace(t)
			tag := e2e.name("built-" + p.mark)
			args := []string{"build", "-t", tag}
			for _, a := range tt.args {
				args = append(args, strings.Replace(a, "DIR", p.dir, 1))
			}
			var stdin io.Reader
			if tt.stdin != nil {
				stdin = bytes.NewReader(tt.stdin(t, p))
			}
			g.pipe(t, stdin, args...).ok()
			p.checkOwned(t, trace, g.owner, 3, 2)
			if diff := cmp.Diff(tt.want, g.docker(t, "run", "--rm", tag).ok()); diff != "" {
				t.Errorf("the built image says (-want +got):\n%s", diff)
			}
		})
	}
}
