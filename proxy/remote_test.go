package proxy

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
)

// fetching returns what a guard with grants fetches with.
func fetching(t *testing.T, grants ...string) *remotes {
	t.Helper()
	g, err := policy.ParseRemoteGrants(grants)
	if err != nil {
		t.Fatal(err)
	}
	return newRemotes(&policy.Policy{Grants: policy.Grants{Remotes: g}})
}

// rebuilt fetches a remote context as a build does, and returns the rewritten
// archive.
func rebuilt(t *testing.T, f *remotes, remote *policy.Remote) ([]byte, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/build", strings.NewReader("ignored"))
	d := &policy.Decision{Remote: remote, Context: &buildcontext.Options{
		Rewrite: dockerfile.Options{Labels: []rewrite.Label{{Key: "o", Value: "me"}}, Guarded: []string{"o"}},
	}}
	r, err := f.fetch(r, d)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	var b bytes.Buffer
	_, err = buildcontext.Rewrite(&b, r.Body, *d.Context)
	return b.Bytes(), err
}

func fileRemote(t *testing.T, text string) *policy.Remote {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Remote{URL: u}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestRemoteFile(t *testing.T) {
	const dockerfile = "FROM scratch\nCOPY . /\n"
	plain := contextTar(t, "Dockerfile", dockerfile, "f", "hi")
	for _, tt := range []struct {
		name, contentType, body string
		f, err                  string
	}{
		{name: "tar", contentType: "application/x-tar", body: plain, f: "hi"},
		{name: "tar.gz", contentType: "application/gzip", body: zipped(plain), f: "hi"},
		{name: "tar.gz as bytes", contentType: "application/octet-stream", body: zipped(plain), f: "hi"},
		{name: "tar without a type", body: plain, f: "hi"},
		{name: "Dockerfile", contentType: "text/plain; charset=utf-8", body: dockerfile},
		{name: "Dockerfile as bytes", contentType: "application/octet-stream", body: dockerfile},
		{name: "page", contentType: "text/html", body: "<html>", err: `has the content type "text/html"`},
		{name: "picture without a type", body: "\x89PNG\r\n\x1a\n", err: "has the content type"},
		{name: "nothing", contentType: "application/x-tar", err: "cannot locate"},
		{name: "huge Dockerfile", contentType: "text/plain", body: strings.Repeat("#\n", 1<<20), err: "more than 1048576 bytes"},
		{name: "spoofed label", contentType: "text/plain", body: "FROM scratch\nLABEL o=evil\n", err: "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Type"] = nil
				if tt.contentType != "" {
					w.Header().Set("Content-Type", tt.contentType)
				}
				io.WriteString(w, tt.body)
			}))
			defer s.Close()
			out, err := rebuilt(t, fetching(t, "127.0.0.1"), fileRemote(t, s.URL+"/x?secret"))
			if tt.err != "" {
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.err)) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v, want it to say %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := tarText(t, string(out), buildcontext.DockerfileName), "FROM scratch\nLABEL 'o'='me'\nCOPY . /\n"; got != want {
				t.Errorf("got Dockerfile %q, want %q", got, want)
			}
			var files []string
			for _, e := range tarEntries(t, out) {
				if e.Name != "./" && !strings.HasPrefix(e.Name, ".") {
					files = append(files, e.Name)
				}
			}
			if tt.f != "" && tarText(t, string(out), "f") != tt.f || tt.f == "" && files != nil {
				t.Errorf("the context holds %q", files)
			}
		})
	}
}

// A context that breaks off is not taken for a shorter one.
func TestRemoteFileBreaksOff(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-tar")
		io.WriteString(w, contextTar(t, "Dockerfile", "FROM scratch\n")[:1024])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	_, err := rebuilt(t, fetching(t, "127.0.0.1"), fileRemote(t, s.URL))
	if err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("got %v", err)
	}
}

func TestRemoteAnswers(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	tls := httptest.NewUnstartedServer(nil)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	for _, tt := range []struct{ url, want string }{
		{s.URL, "answers 404 Not Found"},
		{closed.URL, "refuses connections"},
		{tls.URL, "certificate"},
		{"http://localhost/", "host localhost, which is not granted"},
		{"http://nowhere.test/", "its host has no address"},
	} {
		f := fetching(t, "127.0.0.1", "nowhere.test")
		f.dialer.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
		}
		_, err := rebuilt(t, f, fileRemote(t, tt.url))
		d, ok := errors.AsType[*policy.Denied](err)
		if !ok || !strings.Contains(d.Public(), tt.want) {
			t.Errorf("%s: got %v, want it to say %q", tt.url, err, tt.want)
		}
	}
}

func TestRemoteRedirects(t *testing.T) {
	var to atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" {
			t.Errorf("the redirect tells where it is from: %s", r.Header.Get("Referer"))
		}
		switch r.URL.Path {
		case "/start":
			http.Redirect(w, r, to.Load().(string), http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, "FROM scratch\n")
		}
	}))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	for _, tt := range []struct{ to, err string }{
		{to: "/end"},
		{to: "http://granted.test:" + port + "/end"},
		{to: "http://127.0.0.2:" + port + "/end", err: "whose host is not granted"},
		{to: "http://169.254.169.254/latest/meta-data", err: "whose host is not granted"},
		{to: "http://private.test:" + port + "/end", err: "has no public address"},
		{to: "file:///etc/passwd", err: "less than https"},
		{to: "gopher://127.0.0.1/", err: "less than https"},
		{to: "/loop", err: "more than 5 redirects"},
	} {
		to.Store(tt.to)
		f := fetching(t, "127.0.0.1", "granted.test", "private.test")
		f.dialer.lookup = func(_ context.Context, _, host string) ([]netip.Addr, error) {
			return []netip.Addr{map[string]netip.Addr{
				"granted.test": netip.MustParseAddr("127.0.0.1"), "private.test": netip.MustParseAddr("::ffff:127.0.0.2"),
			}[host]}, nil
		}
		_, err := rebuilt(t, f, fileRemote(t, s.URL+"/start"))
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("redirect to %s: got %v, want %q", tt.to, err, tt.err)
		}
	}
}

func TestRemoteStaysWithHTTPS(t *testing.T) {
	plain := httptest.NewServer(nil)
	defer plain.Close()
	s := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer s.Close()
	f := fetching(t, "127.0.0.1")
	f.client().Transport.(*http.Transport).TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	if _, err := rebuilt(t, f, fileRemote(t, s.URL)); err == nil || !strings.Contains(err.Error(), "less than https") {
		t.Errorf("got %v", err)
	}
}

// What was judged is what is connected to: a name is looked up once for each
// connection, and addresses that are not granted are left out.
func TestRemoteDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	for _, tt := range []struct {
		name    string
		answers []string // one for each lookup
		want    []string // for each dial: the address, or words of the refusal
	}{
		{"granted", []string{"127.0.0.1"}, []string{"127.0.0.1"}},
		{"private first", []string{"127.0.0.2 10.0.0.1 127.0.0.1"}, []string{"127.0.0.1"}},
		{"mapped", []string{"::ffff:127.0.0.1"}, []string{"127.0.0.1"}},
		{"mapped private", []string{"::ffff:127.0.0.2"}, []string{"no public address"}},
		{"rebound", []string{"127.0.0.1", "127.0.0.2"}, []string{"127.0.0.1", "no public address"}},
		{"none", []string{""}, []string{"no public address"}},
	} {
		f := fetching(t, "rebind.test", "127.0.0.1")
		n := 0
		f.dialer.lookup = func(context.Context, string, string) (addrs []netip.Addr, err error) {
			for a := range strings.FieldsSeq(tt.answers[n]) {
				addrs = append(addrs, netip.MustParseAddr(a))
			}
			n++
			return addrs, nil
		}
		for i, want := range tt.want {
			c, err := f.dialer.DialContext(t.Context(), "tcp", "rebind.test:"+port)
			got := fmt.Sprint(err)
			if err == nil {
				got, _, _ = net.SplitHostPort(c.RemoteAddr().String())
				c.Close()
			}
			if !strings.Contains(got, want) || n != i+1 {
				t.Errorf("%s: dial %d after %d lookups got %s, want %s", tt.name, i+1, n, got, want)
			}
		}
	}
}

// The engine gets a remote context as an upload, and no word of remote=.
func TestRemoteBuild(t *testing.T) {
	rec := &recorder{}
	dir := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(dir, "engine"))
	if err != nil {
		t.Fatal(err)
	}
	engine := &http.Server{Handler: rec}
	go engine.Serve(ln)
	defer engine.Close()
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, contextTar(t, "Dockerfile", "FROM scratch\nLABEL "+r.URL.Query().Get("label")+"\n"))
	}))
	defer files.Close()
	p := &policy.Policy{Owner: "team-a", LabelKey: "own"}
	if p.Remotes, err = policy.ParseRemoteGrants([]string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	guard := httptest.NewServer(NewGuard(p, newUnixUpstream(t, filepath.Join(dir, "engine")), slog.New(slog.DiscardHandler)))
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
		"dockerfile": {buildcontext.DockerfileName}, "forcerm": {"1"}, "labels": {`{"own":"team-a"}`}, "rm": {"1"}, "t": {"x"},
	}.Encode()
	if got.Line != want {
		t.Errorf("got %s\nwant %s", got.Line, want)
	}
	if diff := cmp.Diff("FROM scratch\nLABEL 'own'='team-a'\nLABEL a=b\n", tarText(t, got.Body, buildcontext.DockerfileName)); diff != "" {
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
