package e2e

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"
)

// A tap stands between a guard and the engine. It makes the moment between a
// check and its use as long as a hostile client can make it.
type tap struct {
	host string

	mu     sync.Mutex
	asked  []string // paths of GET requests, without a version
	method string
	suffix string
	hook   func()
	answer func(*http.Response) error
}

func newTap(t *testing.T) *tap {
	t.Helper()
	dir := t.TempDir()
	p := &tap{host: "unix://" + filepath.Join(dir, "tap.sock")}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport:     unixTransport(e2e.socket),
		FlushInterval: -1,
		ModifyResponse: func(resp *http.Response) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.answer == nil {
				return nil
			}
			return p.answer(resp)
		},
	}
	l, err := net.Listen("unix", strings.TrimPrefix(p.host, "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.see(r)
		proxy.ServeHTTP(w, r)
	}))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return p
}

// between has f run once, when the next request of the method and path has been
// read whole and before the engine gets it.
func (p *tap) between(method, suffix string, f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.method, p.suffix, p.hook = method, suffix, f
}

func (p *tap) see(r *http.Request) {
	p.mu.Lock()
	path := r.URL.Path
	if _, rest, ok := strings.Cut(strings.TrimPrefix(path, "/v"), "/"); ok && strings.HasPrefix(path, "/v1.") {
		path = "/" + rest
	}
	if r.Method == http.MethodGet {
		p.asked = append(p.asked, path)
	}
	hook := p.hook
	if hook != nil && r.Method == p.method && strings.HasSuffix(path, p.suffix) {
		p.hook = nil
	} else {
		hook = nil
	}
	p.mu.Unlock()
	if hook == nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the guard has given up: the proxy sees it too
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	hook()
}

// passed fails the test unless the request that between waits for has come.
func (p *tap) passed(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hook != nil {
		t.Errorf("the engine got no %s %s", p.method, p.suffix)
	}
}

func unixTransport(socket string) *http.Transport {
	return &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}
}

// newTappedGuard starts sockguard behind a tap.
func newTappedGuard(t *testing.T, flags ...string) (*guard, *tap) {
	t.Helper()
	p := newTap(t)
	return newHostGuard(t, append([]string{"--upstream", p.host}, flags...)...), p
}

// imageID is what the engine itself finds under a name; "" when there is nothing.
func imageID(t *testing.T, ref string) string {
	t.Helper()
	return strings.TrimSpace(finish(t, engineGuard().command(t, e2e.docker, "image", "inspect", "-f", "{{.Id}}", ref)).stdout)
}

// engineGuard is the engine itself: the operator's way.
func engineGuard() *guard { return &guard{host: e2e.host} }

// refused reports whether an answer is a refusal of the client's request.
func (r reply) refused() bool {
	return r.status == http.StatusBadRequest || r.status == http.StatusForbidden || r.status == http.StatusNotFound
}

// untag removes a name when the test ends, whatever it names then.
func untag(t *testing.T, refs ...string) {
	t.Helper()
	t.Cleanup(func() {
		for _, ref := range refs {
			e2e.engine.ImageRemove(context.Background(), ref, client.ImageRemoveOptions{Force: true})
		}
	})
}

// takeName has the victim give a name. It runs beside the test.
func takeName(t *testing.T, victim *guard, image, name string) {
	if r := victim.docker(t, "tag", image, name); r.code != 0 {
		t.Errorf("%s: %s", r.line, r.stderr)
	}
}
