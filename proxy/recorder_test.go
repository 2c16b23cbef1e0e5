package proxy

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"sockguard/policy/verdict"
	"sockguard/proxy/listen"
	"sockguard/proxy/upstream"
)

// A recorder is an upstream that records what reaches it and answers by path.
// It knows nothing of Docker but /version.
type recorder struct {
	mu       sync.Mutex
	requests []recorded
	answers  map[string]http.HandlerFunc // by method and path without version
}

// nothing stands for the random name by which a guard asks for what is missing.
const nothing = "sockguard-asks-for-nothing"

var probe = regexp.MustCompile("sockguard-asks-for-[a-z0-9]+")

// probed answers with the random name in place of nothing.
type probed struct {
	http.ResponseWriter
	name string
}

func (w probed) Write(p []byte) (int, error) {
	if _, err := w.ResponseWriter.Write(bytes.ReplaceAll(p, []byte(nothing), []byte(w.name))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// recorded is one request as the engine would see it.
type recorded struct {
	Line   string // method, path and sorted query
	Header http.Header
	Body   string
	Err    error // of reading the body
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := probe.FindString(r.URL.Path); name != "" {
		r.URL.Path = strings.Replace(r.URL.Path, name, nothing, 1)
		w = probed{w, name}
	}
	if r.URL.Path == "/version" {
		io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24"}`)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/info" && rec.answers["GET /info"] == nil {
		io.WriteString(w, "{}")
		return
	}
	path := r.URL.Path
	if rest, ok := strings.CutPrefix(path, "/v1."); ok {
		path = rest[strings.IndexByte(rest, '/'):]
	}
	answer := rec.answers[r.Method+" "+path]
	if answer == nil && r.Method == http.MethodGet && strings.HasSuffix(path, "/json") {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"No such thing"}`)
		return
	}
	body, err := io.ReadAll(r.Body)
	rec.mu.Lock()
	rec.requests = append(rec.requests, recorded{r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery, r.Header, string(body), err})
	rec.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

// last returns the last request, which must be there.
func (rec *recorder) last(t *testing.T) recorded {
	t.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.requests) == 0 {
		t.Fatal("nothing reached the engine")
	}
	return rec.requests[len(rec.requests)-1]
}

func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

// guarded starts an engine that records and a guard in front of it. The client
// sends whatever it is given to the guarded socket.
func guarded(t *testing.T, answers map[string]http.HandlerFunc) (*recorder, *http.Client) {
	rec := &recorder{answers: answers}
	dial := serveGuard(t, rec)
	client := &http.Client{
		Transport: &http.Transport{
			DialContext:        func(context.Context, string, string) (net.Conn, error) { return dial() },
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	t.Cleanup(client.CloseIdleConnections)
	return rec, client
}

// serveGuard returns how to reach a guard in front of an engine.
func serveGuard(t *testing.T, handler http.Handler) func() (net.Conn, error) {
	return serveLogged(t, handler, slog.New(slog.DiscardHandler))
}

func serveLogged(t *testing.T, handler http.Handler, log *slog.Logger) func() (net.Conn, error) {
	dir := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(dir, "engine"))
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler}
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	u, err := upstream.New("unix://"+filepath.Join(dir, "engine"), upstream.TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "guard")
	guardLn, err := listen.Listen(socket, listen.Options{UID: -1, GID: -1})
	if err != nil {
		t.Fatal(err)
	}
	p := &verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey, CgroupParent: "/ci"}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- NewSocket(NewGuard(p, u, log)).Serve(ctx, guardLn) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return func() (net.Conn, error) { return net.Dial("unix", socket) }
}

func send(t *testing.T, c *http.Client, method, target, contentType, body string) (int, string, string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://guard"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(text)
}
