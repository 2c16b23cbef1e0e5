package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"sockguard/policy/verdict"
	"sockguard/proxy/internal/testtar"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
)

// fetching returns what a guard with grants fetches with.
func fetching(t *testing.T, grants ...string) *Fetcher {
	t.Helper()
	g, err := verdict.ParseRemoteGrants(grants)
	if err != nil {
		t.Fatal(err)
	}
	return New(&verdict.Policy{Grants: verdict.Grants{Remotes: g}})
}

// rebuilt fetches a remote context as a build does, and returns the rewritten
// archive.
func rebuilt(t *testing.T, f *Fetcher, remote *verdict.Remote) ([]byte, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/build", strings.NewReader("ignored"))
	d := &verdict.Decision{Remote: remote, Context: &buildcontext.Options{
		Rewrite: dockerfile.Options{Labels: []rewrite.Label{{Key: "o", Value: "me"}}, Guarded: []string{"o"}},
	}}
	r, err := f.Fetch(r, d)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	var b bytes.Buffer
	_, err = buildcontext.Rewrite(&b, r.Body, *d.Context)
	return b.Bytes(), err
}

func fileRemote(t *testing.T, text string) *verdict.Remote {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &verdict.Remote{URL: u}
}

// names lists the files of an archive but the root and those of reserved names.
func names(t *testing.T, text string) (names []string) {
	t.Helper()
	for r := tar.NewReader(strings.NewReader(text)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, ".") {
			names = append(names, h.Name)
		}
	}
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
	plain := testtar.Make(t, "Dockerfile", dockerfile, "f", "hi")
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
			if got, want := testtar.Text(t, string(out), buildcontext.DockerfileName), "FROM scratch\nLABEL 'o'='me'\nCOPY . /\n"; got != want {
				t.Errorf("got Dockerfile %q, want %q", got, want)
			}
			files := names(t, string(out))
			if tt.f != "" && testtar.Text(t, string(out), "f") != tt.f || tt.f == "" && files != nil {
				t.Errorf("the context holds %q", files)
			}
		})
	}
}

// A context that breaks off is not taken for a shorter one.
func TestRemoteFileBreaksOff(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-tar")
		io.WriteString(w, testtar.Make(t, "Dockerfile", "FROM scratch\n")[:1024])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	_, err := rebuilt(t, fetching(t, "127.0.0.1"), fileRemote(t, s.URL))
	if err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("got %v", err)
	}
}

// A server that does not stop is cut off, whether or not it declares a length.
func TestRemoteBudget(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-tar")
		tw := tar.NewWriter(w)
		for i := 0; r.Context().Err() == nil; i++ {
			tw.WriteHeader(&tar.Header{Name: fmt.Sprint("f", i), Mode: 0o644, Size: 1 << 16})
			tw.Write(make([]byte, 1<<16))
		}
	}))
	defer s.Close()
	f := fetching(t, "127.0.0.1")
	f.budget = 1 << 20
	if _, err := rebuilt(t, f, fileRemote(t, s.URL)); err == nil || !strings.Contains(err.Error(), "larger than it may be") {
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
		d, ok := errors.AsType[*verdict.Denied](err)
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
