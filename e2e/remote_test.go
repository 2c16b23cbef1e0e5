package e2e

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"sockguard/e2e/engine"
)

// newHostGuard starts sockguard as a process on this host, whose loopback
// addresses it reaches.
func newHostGuard(t *testing.T, flags ...string) *guard { return newHostGuardAt(t, "", flags...) }

// newHostGuardAt is newHostGuard with an address to listen on; "" is a unix socket.
func newHostGuardAt(t *testing.T, listen string, flags ...string) *guard {
	t.Helper()
	g := &guard{owner: "e2e-" + strings.ToLower(rand.Text()[:10])}
	g.dir = filepath.Join(e2e.dir, g.owner)
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	g.host = cmp.Or(listen, "unix://"+filepath.Join(g.dir, "guard.sock"))
	t.Cleanup(func() { g.sweep(t) })
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, e2e.binary, append([]string{"serve", "--listen", g.host, "--upstream", e2e.host, "--owner", g.owner}, flags...)...)
	var log syncBuffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		cmd.Wait()
		if t.Failed() {
			t.Logf("sockguard's log:\n%s", &log)
		}
	})
	api, err := engine.Await(t.Context(), g.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.Close() })
	g.api = api
	return g
}

// buildRemote has the engine build a remote context, as docker-py does; the
// docker CLI fetches it itself.
func (g *guard) buildRemote(t *testing.T, remote, tag string) string {
	t.Helper()
	built, err := g.api.ImageBuild(t.Context(), nil, client.ImageBuildOptions{RemoteContext: remote, Tags: []string{tag}})
	if err != nil {
		return err.Error()
	}
	defer built.Body.Close()
	text, err := io.ReadAll(built.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const remoteProject = `
-- Dockerfile --
FROM @BASE@
COPY . /all
RUN cat /all/said > /said
CMD ["cat", "/said"]
-- said --
top
`

// A remote context is fetched, and what is built of it is the owner's.
func TestBuildRemote(t *testing.T) {
	need(t)
	p := newProject(t, remoteProject)
	archive := p.tar(t)
	mux := http.NewServeMux()
	serve := func(path, contentType string, body []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Write(body)
		})
	}
	serve("/x.tar.gz", "application/gzip", gzipped(t, archive))
	serve("/Dockerfile", "text/plain", []byte("FROM "+p.base+"\nRUN echo alone > /said\nCOPY . /all\nRUN tree /all >> /said\nCMD [\"cat\", \"/said\"]\n"))
	serve("/evil", "text/plain", []byte("FROM "+p.base+"\nLABEL com.buildkite.sockguard.owner=evil\n"))
	serve("/cut", "application/x-tar", cutTar(t))
	mux.Handle("/away", http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	s := httptest.NewServer(mux)
	defer s.Close()

	g := newHostGuard(t, "--allow-remote", "127.0.0.1")
	trace := e2e.trace(t)
	for remote, want := range map[string]string{
		"/x.tar.gz": "top", "/Dockerfile": "alone",
	} {
		tag := e2e.name(strings.ToLower("remote-" + rand.Text()[:8]))
		out := g.buildRemote(t, s.URL+remote, tag)
		if !strings.Contains(out, "Successfully tagged") {
			t.Errorf("%s: %s", remote, out)
			continue
		}
		if got := g.docker(t, "run", "--rm", tag).ok(); got != want {
			t.Errorf("%s: the built image says %q, want %q", remote, got, want)
		}
	}
	p.checkOwned(t, trace, g.owner, 8, 6)
	for remote, want := range map[string]string{
		s.URL + "/evil":                     "Dockerfile line 2",
		s.URL + "/cut":                      "in the middle",
		s.URL + "/away":                     "not granted",
		s.URL + "/x.git#main:sub":           "git archive",
		s.URL + "/nosuch.tar":               "404",
		"https://example.com/x.tar":         "--allow-remote example.com",
		"http://169.254.169.254/user-data":  "--allow-remote 169.254.169.254",
		"git@github.com:moby/moby.git#main": "git archive",
	} {
		if out := g.buildRemote(t, remote, "x"); !strings.Contains(out, want) || !strings.Contains(out, "sockguard") {
			t.Errorf("%s: got %q, want it to say %q", remote, out, want)
		}
	}
	p.checkNothingRuns(t)
}

// cutTar is an archive without its end.
func cutTar(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: 100}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "FROM scratch\n")
	return b.Bytes()
}
