package proxy

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
	"sockguard/proxy/internal/testtar"
	"sockguard/proxy/upstream"
	"sockguard/rewrite/buildcontext"
)

// The engine gets a remote context as an upload, and no word of remote=.
func TestRemoteBuild(t *testing.T) {
	rec := &recorder{}
	dir := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(dir, "engine"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: rec}
	go srv.Serve(ln)
	defer srv.Close()
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, testtar.Make(t, "Dockerfile", "FROM scratch\nLABEL "+r.URL.Query().Get("label")+"\n"))
	}))
	defer files.Close()
	p := &verdict.Policy{Owner: "team-a", LabelKey: "own"}
	if p.Remotes, err = verdict.ParseRemoteGrants([]string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	u, err := upstream.New("unix://"+filepath.Join(dir, "engine"), upstream.TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	guard := httptest.NewServer(NewGuard(p, u, slog.New(slog.DiscardHandler)))
	defer guard.Close()
	build := func(remote string) (int, string) {
		resp, err := http.Post(guard.URL+"/v1.41/build?t=x&remote="+url.QueryEscape(remote), "application/x-tar", strings.NewReader("what is sent beside"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	if status, text := build(files.URL + "/x?label=a=b"); status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	got := rec.last(t)
	want := "POST /v1.41/build?" + url.Values{
		"dockerfile": {buildcontext.DockerfileName}, "forcerm": {"1"}, "labels": {`{"own":"team-a"}`}, "rm": {"1"},
	}.Encode()
	if got.Line != want {
		t.Errorf("got %s\nwant %s", got.Line, want)
	}
	if diff := cmp.Diff("FROM scratch\nLABEL 'own'='team-a'\nLABEL a=b\n", testtar.Text(t, got.Body, buildcontext.DockerfileName)); diff != "" {
		t.Error(diff)
	}
	for remote, want := range map[string]string{
		files.URL + "/x?label=own=evil": "Dockerfile line 2",
		"http://elsewhere.test/x":       "--allow-remote elsewhere.test",
		"http://127.0.0.1:1/x":          "refuses connections",
	} {
		if status, text := build(remote); status < 400 || !strings.Contains(text, want) {
			t.Errorf("%s: got %d %s, want %q", remote, status, text, want)
		}
	}
}
