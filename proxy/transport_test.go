package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A line is the engine's end of a connection, which a test speaks by hand.
type line struct {
	net.Conn
	r *bufio.Reader
	t *testing.T
}

// hear reads a request whole and returns it as one text.
func (l *line) hear() (string, error) {
	r, err := http.ReadRequest(l.r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(r.Body)
	return r.Method + " " + r.RequestURI + " " + string(body), err
}

func (l *line) say(text string) { io.WriteString(l, text) }

// gone waits until the other side closes, as it must, and returns what it sent
// before, up to 1 MiB.
func (l *line) gone() string {
	rest, err := io.ReadAll(io.LimitReader(l.r, 1<<20))
	if err == nil {
		_, err = io.Copy(io.Discard, l.r)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.t.Error("the connection was not closed")
	}
	return string(rest)
}

// A spokenEngine is an engine on a unix socket, spoken for by hand: its n-th
// connection is the n-th script's, the last script takes all that follow.
type spokenEngine struct {
	*Transport
	dials atomic.Int32
	open  atomic.Int32
}

// heldConn counts connections that are not closed.
type heldConn struct {
	*net.UnixConn
	once sync.Once
	open *atomic.Int32
}

func (c *heldConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.UnixConn.Close()
}

// spoken returns a transport to an engine. When the test ends, every script has
// ended, every connection is closed and nobody sends any more.
func spoken(t *testing.T, scripts ...func(*line)) *spokenEngine {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for i := 0; ; i++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(10 * time.Second))
			running.Go(func() {
				defer c.Close()
				scripts[min(i, len(scripts)-1)](&line{c, bufio.NewReader(c), t})
			})
		}
	})
	e := &spokenEngine{Transport: newUnixUpstream(t, path).Transport()}
	dial := e.dial
	e.dial = func(ctx context.Context) (net.Conn, error) {
		c, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		e.dials.Add(1)
		e.open.Add(1)
		return &heldConn{UnixConn: c.(*net.UnixConn), open: &e.open}, nil
	}
	t.Cleanup(func() {
		e.CloseIdleConnections()
		ln.Close()
		running.Wait()
		eventually(t, "a connection or an upload is left", func() bool { return e.open.Load() == 0 && !sending() })
	})
	return e
}

// sending reports whether any goroutine still sends a body.
func sending() bool {
	stacks := make([]byte, 1<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("proxy.(*engineConn).stream"))
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error(what)
}

// ask makes an exchange and returns the answer as one text.
func (e *spokenEngine) ask(r *http.Request) (string, error) {
	resp, err := e.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, body), err
}

// A source is the body of a request. It tells when it is closed.
type source struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func newSource(r io.Reader) *source { return &source{Reader: r, closed: make(chan struct{})} }

func (s *source) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *source) waitClosed(t *testing.T) {
	t.Helper()
	select {
	case <-s.closed:
	case <-time.After(10 * time.Second):
		t.Error("the body was not closed")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// newAsk returns a request; a length of -1 is not declared. In memory, the body
// is as http.NewRequest makes it.
func newAsk(t *testing.T, method, target string, body io.Reader, length int64) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://docker"+target, body)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.ContentLength = length
	}
	return r
}

const second = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"

// answering answers every request of a connection with second.
func answering(l *line) {
	for {
		if _, err := l.hear(); err != nil {
			return
		}
		l.say(second)
	}
}

// TestTransportRequests: the engine gets these bytes, and no others.
func TestTransportRequests(t *testing.T) {
	long := strings.Repeat("x", inlineBody+1)
	tests := []struct {
		name, method, target string
		header               http.Header
		body                 io.Reader
		length               int64
		want                 string
	}{
		{"get", "GET", "/a%2Fb?x=1&y=%20", nil, nil, 0, "GET /a%2Fb?x=1&y=%20 HTTP/1.1\r\nHost: docker\r\n\r\n"},
		{"head", "HEAD", "/_ping", nil, nil, 0, "HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"},
		{"no body", "POST", "/x", nil, nil, 0, "POST /x HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n"},
		{"two values", "GET", "/", http.Header{"X-A": {"1", "2\t3"}}, nil, 0, "GET / HTTP/1.1\r\nHost: docker\r\nX-A: 1\r\nX-A: 2\t3\r\n\r\n"},
		{"framing in headers", "POST", "/",
			http.Header{"Content-Length": {"99"}, "Transfer-Encoding": {"chunked"}, "transfer-encoding": {"chunked"}, "Host": {"other"}, "Trailer": {"X"}},
			strings.NewReader("in"), 2, "POST / HTTP/1.1\r\nHost: docker\r\nContent-Length: 2\r\n\r\nin"},
		{"in memory", "POST", "/", nil, strings.NewReader("body"), 4, "POST / HTTP/1.1\r\nHost: docker\r\nContent-Length: 4\r\n\r\nbody"},
		{"long, in memory", "POST", "/", nil, strings.NewReader(long), inlineBody + 1,
			fmt.Sprintf("POST / HTTP/1.1\r\nHost: docker\r\nContent-Length: %d\r\n\r\n%s", inlineBody+1, long)},
		{"in memory, of no declared length", "POST", "/", nil, strings.NewReader("body"), -1,
			"POST / HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"},
		{"declared", "PUT", "/", nil, newSource(strings.NewReader("body")), 4, "PUT / HTTP/1.1\r\nHost: docker\r\nContent-Length: 4\r\n\r\nbody"},
		{"chunked", "POST", "/", nil, newSource(io.MultiReader(strings.NewReader("a"), strings.NewReader(long))), -1,
			fmt.Sprintf("POST / HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n%x\r\n%s\r\n0\r\n\r\n", len(long), long)},
		{"length left at 0", "POST", "/", nil, newSource(strings.NewReader("a")), 0,
			"POST / HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"},
		{"empty", "POST", "/", nil, newSource(strings.NewReader("")), -1,
			"POST / HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan string, 1)
			e := spoken(t, func(l *line) {
				text := make([]byte, len(tt.want))
				n, _ := io.ReadFull(l.r, text)
				l.say("HTTP/1.1 204 No Content\r\n\r\n")
				got <- string(text[:n]) + l.gone()
			})
			r := newAsk(t, tt.method, tt.target, tt.body, tt.length)
			r.Header = tt.header
			if answer, err := e.ask(r); err != nil || answer != "204 " {
				t.Errorf("got %q, %v", answer, err)
			}
			if s, ok := tt.body.(*source); ok {
				s.waitClosed(t)
			}
			e.CloseIdleConnections()
			if diff := cmp.Diff(tt.want, <-got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTransportRefuses: nothing is sent of a request that could be read as two,
// or as another one.
func TestTransportRefuses(t *testing.T) {
	tests := []struct {
		name string
		make func(*http.Request)
	}{
		{"value with a line break", func(r *http.Request) { r.Header["X"] = []string{"ok", "a\r\nY: b"} }},
		{"value with a line feed", func(r *http.Request) { r.Header["X"] = []string{"a\nY: b"} }},
		{"value with a NUL", func(r *http.Request) { r.Header["X"] = []string{"a\x00"} }},
		{"name with a line break", func(r *http.Request) { r.Header["X: a\r\nY"] = []string{"b"} }},
		{"name with a colon", func(r *http.Request) { r.Header["Transfer-Encoding: chunked, x"] = []string{"b"} }},
		{"name with a space", func(r *http.Request) { r.Header["Content-Length "] = []string{"9"} }},
		{"folded line for a name", func(r *http.Request) { r.Header[" X"] = []string{"b"} }},
		{"no name", func(r *http.Request) { r.Header[""] = []string{"b"} }},
		{"method of two words", func(r *http.Request) { r.Method = "GET /other HTTP/1.1" }},
		{"no method", func(r *http.Request) { r.Method = "" }},
		{"query with a space", func(r *http.Request) { r.URL.RawQuery = "a HTTP/1.1" }},
		{"query with a line break", func(r *http.Request) { r.URL.RawQuery = "a HTTP/1.1\r\nX: b" }},
		{"opaque target", func(r *http.Request) { r.URL.Opaque = "/a HTTP/1.1\r\nX: b" }},
		{"host with a line break", func(r *http.Request) { r.URL.Host = "a\r\nX: b" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan string, 1)
			e := spoken(t, func(l *line) { got <- l.gone() })
			body := newSource(strings.NewReader("body"))
			r := newAsk(t, "POST", "/", body, 4)
			tt.make(r)
			if answer, err := e.ask(r); err == nil || !strings.Contains(err.Error(), "not") || errors.Is(err, net.ErrClosed) {
				t.Errorf("got %q, %v", answer, err)
			}
			body.waitClosed(t)
			if sent := <-got; sent != "" {
				t.Errorf("sent %q", sent)
			}
		})
	}
}

// TestTransportAnswers: answers are read as net/http reads them, and only a
// connection on which both sides have said all is used again.
func TestTransportAnswers(t *testing.T) {
	large := strings.Repeat("x", 3*maxHead)
	tests := []struct {
		name, method, answer string // "" is GET
		want, err            string
		again                bool // the connection is used again
		ends                 bool // the engine closes the connection
	}{
		{name: "declared", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ok", again: true},
		{name: "empty", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", want: "200 ", again: true},
		{name: "error", answer: "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", want: "404 no", again: true},
		{name: "large", answer: fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(large), large), want: "200 " + large, again: true},
		{name: "chunked", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", want: "200 ok", again: true},
		{name: "trailer", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: a\r\n\r\n", want: "200 ok X=a", again: true},
		{name: "head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", want: "200 ", again: true},
		{name: "no content", answer: "HTTP/1.1 204 No Content\r\n\r\n", want: "204 ", again: true},
		{name: "not modified", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", want: "304 ", again: true},
		{name: "informed before", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ok", again: true},
		{name: "older, kept", answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", want: "200 ok", again: true},

		{name: "older", answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ok"},
		{name: "closing", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", want: "200 ok"},
		{name: "closing, empty", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", want: "200 "},
		{name: "until the end", answer: "HTTP/1.1 200 OK\r\n\r\nok", want: "200 ok", ends: true},
		{name: "more than declared", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen", want: "200 ok"},
		{name: "more than all chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nstolen", want: "200 ok"},
		{name: "body of a head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 "},
		{name: "body without content", answer: "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nstolen", want: "204 "},
		{name: "odd chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", want: "200 ", err: "chunk length"},
		{name: "cut", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", want: "200 ok", err: "unexpected EOF", ends: true},
		{name: "cut between chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", want: "200 ok", err: "unexpected EOF", ends: true},
		{name: "cut in the head", answer: "HTTP/1.1 200 OK\r\nContent-Le", err: "malformed MIME header", ends: true},
		{name: "cut after information", answer: "HTTP/1.1 100 Continue\r\n\r\n", err: "unexpected EOF", ends: true},
		{name: "long trailer", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", want: "200 ok", err: "long trailer"},
		{name: "silence", err: "without an answer", ends: true},
		{name: "not HTTP", answer: "hello\r\n\r\n", err: "malformed HTTP"},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", err: "multiple Content-Length"},
		{name: "switched", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n", err: "unasked"},
		{name: "no status", answer: "HTTP/1.1 099 What\r\nContent-Length: 2\r\n\r\nok", err: `status "099 What"`},
		{name: "endless line", answer: "HTTP/1.1 200 " + strings.Repeat("x", 2*maxHead), err: "larger than"},
		{name: "endless head", answer: "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: x\r\n", maxHead/3), err: "larger than"},
		{name: "endless information", answer: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxHead/10), err: "larger than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := spoken(t, func(l *line) {
				if _, err := l.hear(); err != nil {
					t.Error(err)
				}
				l.say(tt.answer)
				switch {
				case tt.again:
					answering(l)
				case !tt.ends:
					l.gone()
				}
			}, answering)
			r := newAsk(t, tt.method, "/", nil, 0)
			var got string
			resp, err := e.RoundTrip(r)
			if err == nil {
				var body []byte
				body, err = io.ReadAll(resp.Body)
				got = fmt.Sprintf("%d %s", resp.StatusCode, body)
				for name, values := range resp.Trailer {
					got += " " + name + "=" + values[0]
				}
				resp.Body.Close()
			}
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %.80q, %v, want %.80q, %q", got, err, tt.want, tt.err)
			}
			if got, err := e.ask(newAsk(t, "GET", "/", nil, 0)); err != nil || got != "200 second" {
				t.Errorf("then got %q, %v", got, err)
			}
			if again := e.dials.Load() == 1; again != tt.again {
				t.Errorf("used again: %v, want %v", again, tt.again)
			}
		})
	}
}

// TestTransportUnaskedAnswer: what an engine says on an idle connection is
// nobody's answer.
func TestTransportUnaskedAnswer(t *testing.T) {
	unasked := []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen",
		"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"\r\n",
	}
	for _, text := range unasked {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			t.Run(method, func(t *testing.T) {
				idle, said := make(chan bool), make(chan bool)
				e := spoken(t, func(l *line) {
					l.hear()
					l.say(second)
					<-idle
					l.say(text)
					close(said)
					if rest := l.gone(); rest != "" {
						t.Errorf("sent %q", rest)
					}
				}, answering)
				if got, err := e.ask(newAsk(t, "GET", "/", nil, 0)); err != nil || got != "200 second" {
					t.Fatalf("got %q, %v", got, err)
				}
				close(idle)
				<-said
				want := "200 second"
				if method == "HEAD" {
					want = "200 "
				}
				if got, err := e.ask(newAsk(t, method, "/", nil, 0)); err != nil || !strings.HasPrefix(got, want) {
					t.Errorf("got %q, %v, want %q", got, err, want)
				}
			})
		}
	}
}

// TestTransportRestart: a restart of the engine between two requests goes
// unnoticed, and no request that changes something is sent twice.
func TestTransportRestart(t *testing.T) {
	tests := []struct {
		name, method string
		body         bool
		after        string // what the first connection does: "close" at once, or "hear" a request, maybe "half" answer it
		want, err    string
	}{
		{name: "closed before a GET", method: "GET", after: "close", want: "200 second"},
		{name: "closed before a HEAD", method: "HEAD", after: "close", want: "200 "},
		{name: "closed before a DELETE", method: "DELETE", after: "close", want: "200 second"},
		{name: "closed before a POST", method: "POST", body: true, after: "close", want: "200 second"},
		{name: "closed on a GET", method: "GET", after: "hear", want: "200 second"},
		{name: "closed on a HEAD", method: "HEAD", after: "hear", want: "200 "},
		{name: "closed on a GET with a body", method: "GET", body: true, after: "hear", err: "without an answer"},
		{name: "closed on a DELETE", method: "DELETE", after: "hear", err: "without an answer"},
		{name: "closed on a POST", method: "POST", body: true, after: "hear", err: "without an answer"},
		{name: "closed in the answer to a GET", method: "GET", after: "half", err: "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			closed := make(chan bool)
			var heard atomic.Int32
			e := spoken(t, func(l *line) {
				l.hear()
				l.say(second)
				switch tt.after {
				case "half":
					l.hear()
					l.say("HTTP/1.1 200 OK\r\n")
				case "hear":
					l.hear()
					heard.Add(1)
				}
				l.Close()
				close(closed)
			}, func(l *line) {
				for {
					if _, err := l.hear(); err != nil {
						return
					}
					heard.Add(1)
					l.say(second)
				}
			})
			if _, err := e.ask(newAsk(t, "GET", "/", nil, 0)); err != nil {
				t.Fatal(err)
			}
			if tt.after == "close" {
				<-closed
			}
			r := newAsk(t, tt.method, "/", nil, 0)
			if tt.body {
				r.Body, r.ContentLength = newSource(strings.NewReader("body")), 4
			}
			got, err := e.ask(r)
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %q, %v, want %q, %q", got, err, tt.want, tt.err)
			}
			if s, ok := r.Body.(*source); ok {
				s.waitClosed(t)
			}
			if n := heard.Load(); n > 1 && (tt.method != "GET" && tt.method != "HEAD" || n > 2) {
				t.Errorf("the engine heard it %d times", n)
			}
		})
	}
}

// TestTransportAsksAgainOnce: an engine that answers nobody is not asked for ever,
// and a new connection that ends is an answer.
func TestTransportAsksAgainOnce(t *testing.T) {
	silent := func(l *line) { l.hear() }
	e := spoken(t, func(l *line) { l.hear(); l.say(second); l.hear() }, silent)
	if _, err := e.ask(newAsk(t, "GET", "/", nil, 0)); err != nil {
		t.Fatal(err)
	}
	for _, dials := range []int32{2, 3} {
		if got, err := e.ask(newAsk(t, "GET", "/", nil, 0)); err == nil {
			t.Errorf("got %q", got)
		}
		if got := e.dials.Load(); got != dials {
			t.Errorf("dialled %d times, want %d", got, dials)
		}
	}
}

// TestTransportContext: the end of a request's context ends its exchange at any
// stage, and closes its connection.
func TestTransportContext(t *testing.T) {
	tests := []struct {
		name   string
		engine func(*line, func())
		body   io.Reader
		before bool
	}{
		{name: "before", engine: func(l *line, _ func()) { l.gone() }, before: true},
		{name: "while the body blocks", engine: func(l *line, cancel func()) { l.r.Peek(1); cancel(); l.gone() }, body: endless{}},
		{name: "while the answer is waited for", engine: func(l *line, cancel func()) { l.hear(); cancel(); l.gone() }},
		{name: "in the head of the answer", engine: func(l *line, cancel func()) { l.hear(); l.say("HTTP/1.1 200"); cancel(); l.gone() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			e := spoken(t, func(l *line) { tt.engine(l, cancel) })
			if tt.before {
				cancel()
			}
			body := newSource(tt.body)
			r := newAsk(t, "GET", "/", nil, 0).WithContext(ctx)
			if tt.body != nil || tt.before {
				r.Body, r.ContentLength = body, -1
			}
			if got, err := e.ask(r); !errors.Is(err, context.Canceled) {
				t.Errorf("got %q, %v", got, err)
			}
			if r.Body != nil {
				body.waitClosed(t)
			}
			if tt.before && e.dials.Load() != 0 {
				t.Error("dialled for nobody")
			}
		})
	}
	t.Run("in the body of the answer", func(t *testing.T) {
		e := spoken(t, func(l *line) {
			l.hear()
			l.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")
			l.gone()
		})
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := e.RoundTrip(newAsk(t, "GET", "/", nil, 0).WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(resp.Body, make([]byte, 5))
		cancel()
		if _, err := resp.Body.Read(make([]byte, 5)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("while it is dialled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		dialled := &Transport{dial: func(ctx context.Context) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		body := newSource(strings.NewReader("x"))
		r := newAsk(t, "POST", "/", body, 1).WithContext(ctx)
		if _, err := dialled.RoundTrip(r); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		body.waitClosed(t)
	})
	t.Run("when an idle connection is there", func(t *testing.T) {
		e := spoken(t, answering)
		if _, err := e.ask(newAsk(t, "GET", "/", nil, 0)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.ask(newAsk(t, "POST", "/", nil, 0).WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(e.idle) != 1 {
			t.Error("the idle connection is gone")
		}
	})
}

// TestTransportOldContext: a context that ends after its exchange closes nothing.
func TestTransportOldContext(t *testing.T) {
	e := spoken(t, answering)
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		got, err := e.ask(newAsk(t, "POST", "/", strings.NewReader("body"), 4).WithContext(ctx))
		cancel()
		if err != nil || got != "200 second" {
			t.Fatalf("request %d: got %q, %v", i, got, err)
		}
	}
	if n := e.dials.Load(); n != 1 {
		t.Errorf("dialled %d times", n)
	}
}

// TestTransportEarlyAnswer: an engine that refuses an upload before it has all
// of it is heard to the end, and the upload ends.
func TestTransportEarlyAnswer(t *testing.T) {
	why := strings.Repeat("too much", receiveBuffer/2)
	refusal := fmt.Sprintf("HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\n\r\n%s", len(why), why)
	bodies := []struct {
		name   string
		memory bool
		length int64
	}{
		{"chunked", false, -1},
		{"declared", false, 1 << 40},
		{"in memory", true, 1 << 30},
	}
	engines := []struct {
		name string
		ends bool // the upload, by itself
		then func(l *line, heard <-chan bool)
	}{
		{"closes", true, func(*line, <-chan bool) {}},
		{"reads no more", false, func(l *line, heard <-chan bool) { l.Conn.(*net.UnixConn).CloseRead(); <-heard }},
		{"reads on", false, func(l *line, _ <-chan bool) { l.gone() }},
	}
	for _, b := range bodies {
		for _, engine := range engines {
			t.Run(b.name+", the engine "+engine.name, func(t *testing.T) {
				heard := make(chan bool)
				e := spoken(t, func(l *line) {
					io.ReadFull(l.r, make([]byte, 64<<10))
					l.say(refusal)
					engine.then(l, heard)
				})
				defer close(heard)
				body := newSource(endless{})
				r := newAsk(t, "POST", "/build", body, b.length)
				if b.memory {
					r.GetBody = func() (io.ReadCloser, error) { return body, nil }
				}
				resp, err := e.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				if engine.ends {
					body.waitClosed(t)
				}
				if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 413 || string(got) != why {
					t.Errorf("got %d %.20q, %v", resp.StatusCode, got, err)
				}
				body.waitClosed(t)
				if len(e.idle) > 0 {
					t.Error("the connection is used again")
				}
			})
		}
	}
}

// TestTransportBrokenUpload: the engine never takes a part of a body for the
// whole, nor the rest of a longer body for a request.
func TestTransportBrokenUpload(t *testing.T) {
	broken := errors.New("the source broke")
	half := func() io.Reader { return io.MultiReader(strings.NewReader("half"), failing{broken}) }
	text := func(n int) io.Reader { return strings.NewReader(strings.Repeat("GET /x HTTP/1.1\r\n\r\n", n/19+1)[:n]) }
	tests := []struct {
		name   string
		body   func() io.Reader
		memory bool
		length int64
		want   error
		whole  bool // the engine hears all that was declared
	}{
		{"chunked, fails", half, false, -1, broken, false},
		{"declared, fails", half, false, 8, broken, false},
		{"declared, fails at its end", half, false, 4, broken, true},
		{"fails with an end", func() io.Reader { return io.MultiReader(strings.NewReader("half"), failing{io.ErrUnexpectedEOF}) }, false, -1, io.ErrUnexpectedEOF, false},
		{"shorter than declared", func() io.Reader { return text(7) }, false, 8, errLength, false},
		{"empty", func() io.Reader { return text(0) }, false, 8, errLength, false},
		{"longer than declared", func() io.Reader { return io.MultiReader(text(4), text(100)) }, false, 8, errLength, false},
		{"longer than declared, after the end", func() io.Reader { return io.MultiReader(text(8), text(100)) }, false, 8, errLength, true},
		{"longer than declared, in one piece", func() io.Reader { return text(100) }, false, 8, errLength, false},
		{"longer than declared, unreported", func() io.Reader { return deaf{text(8), text(100)} }, false, 8, errLength, true},
		{"shorter in memory", func() io.Reader { return text(7) }, true, 8, errLength, false},
		{"empty in memory", func() io.Reader { return text(0) }, true, 8, errLength, false},
		{"longer in memory", func() io.Reader { return text(100) }, true, 8, errLength, false},
		{"shorter in memory, large", func() io.Reader { return text(inlineBody) }, true, inlineBody + 1, errLength, false},
		{"longer in memory, large", func() io.Reader { return text(2 * inlineBody) }, true, inlineBody + 1, errLength, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			heard := make(chan error, 1)
			e := spoken(t, func(l *line) {
				if _, err := l.r.Peek(1); err != nil {
					l.gone()
					heard <- err
					return
				}
				r, err := http.ReadRequest(l.r)
				if err != nil {
					heard <- err
					return
				}
				_, err = io.Copy(io.Discard, r.Body)
				if rest := l.gone(); rest != "" {
					t.Errorf("after the body: %q", rest)
				}
				heard <- err
			})
			body := newSource(tt.body())
			r := newAsk(t, "POST", "/", body, tt.length)
			if tt.memory {
				r.GetBody = func() (io.ReadCloser, error) { return body, nil }
			}
			if d, ok := body.Reader.(deaf); ok {
				r.Body = struct {
					deaf
					*source
				}{d, body}
			}
			if got, err := e.ask(r); !errors.Is(err, tt.want) {
				t.Errorf("got %q, %v, want %v", got, err, tt.want)
			}
			body.waitClosed(t)
			if err := <-heard; (err == nil) != tt.whole {
				t.Errorf("the engine heard it with %v", err)
			}
		})
	}
}

// deaf is a body that writes its parts and minds no error.
type deaf []io.Reader

func (d deaf) Read([]byte) (int, error) { panic("read") }

func (d deaf) WriteTo(w io.Writer) (int64, error) {
	for _, part := range d {
		io.Copy(w, part)
	}
	return 0, nil
}

// TestTransportBrokenUploadAnswered: what an engine says before an upload breaks
// is heard, and does not look whole.
func TestTransportBrokenUploadAnswered(t *testing.T) {
	e := spoken(t, func(l *line) {
		l.r.Peek(1)
		l.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nStep \r\n")
		if text := l.gone(); strings.HasSuffix(text, "0\r\n\r\n") {
			t.Errorf("the body ends with %q", text)
		}
	})
	pr, pw := io.Pipe()
	resp, err := e.RoundTrip(newAsk(t, "POST", "/build", pr, -1))
	if err != nil {
		t.Fatal(err)
	}
	step := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, step); err != nil || string(step) != "Step " {
		t.Errorf("got %q, %v", step, err)
	}
	io.WriteString(pw, "half")
	pw.CloseWithError(errors.New("the source broke"))
	if rest, err := io.ReadAll(resp.Body); err == nil || len(rest) > 0 {
		t.Errorf("then got %q, %v", rest, err)
	}
}

// TestTransportClose: an answer may be closed wherever it is, more than once.
func TestTransportClose(t *testing.T) {
	closing := make(chan bool)
	e := spoken(t, func(l *line) {
		l.hear()
		l.say(second)
		l.hear()
		l.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")
		l.gone()
		close(closing)
	})
	resp, err := e.RoundTrip(newAsk(t, "GET", "/", nil, 0))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "second" {
		t.Fatalf("got %q, %v", text, err)
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read after the end: %d, %v", n, err)
	}
	for range 2 {
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != http.ErrBodyReadAfterClose {
		t.Errorf("read after Close: %d, %v", n, err)
	}
	if len(e.idle) != 1 {
		t.Fatalf("%d connections are idle, want 1", len(e.idle))
	}

	if resp, err = e.RoundTrip(newAsk(t, "GET", "/", nil, 0)); err != nil {
		t.Fatal(err)
	}
	reading := make(chan bool)
	read := make(chan error)
	go func() {
		io.ReadFull(resp.Body, make([]byte, 5))
		close(reading)
		_, err := resp.Body.Read(make([]byte, 5))
		read <- err
	}()
	<-reading
	resp.Body.Close()
	if err := <-read; err == nil || err == io.EOF {
		t.Errorf("a read that was closed: %v", err)
	}
	resp.Body.Close()
	<-closing
	if len(e.idle) != 0 {
		t.Error("a closed answer's connection is idle")
	}
}

// TestTransportIdle: idle connections are few, end after a while, and keep no
// large heads.
func TestTransportIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := new(Transport)
		idle := func() (closed func() bool) {
			a, b := net.Pipe()
			gone := make(chan struct{})
			go func() { io.Copy(io.Discard, b); close(gone) }()
			c := newEngineConn(a)
			c.head = make([]byte, maxHead)
			tr.put(c)
			return func() bool {
				synctest.Wait()
				select {
				case <-gone:
					return true
				default:
					return false
				}
			}
		}
		// held returns the idle connections, and what lies behind them.
		held := func() (n int, all []*engineConn) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			return len(tr.idle), slices.Clone(tr.idle[:cap(tr.idle)])
		}
		var closed []func() bool
		for range idleConns + 1 {
			closed = append(closed, idle())
		}
		if closed[0]() || closed[idleConns-1]() || !closed[idleConns]() {
			t.Errorf("want %d to be kept, and no more", idleConns)
		}
		if _, all := held(); all[0].head != nil {
			t.Errorf("keeps %d bytes of a head", cap(all[0].head))
		}
		for range idleConns / 2 {
			tr.take().Close()
		}
		time.Sleep(idleConnTimeout / 2)
		late := idle()
		time.Sleep(idleConnTimeout/2 + time.Second)
		if !closed[0]() || late() {
			t.Errorf("after %v, want the late one open, and no other", idleConnTimeout)
		}
		if n, all := held(); n != 1 || all[1] != nil {
			t.Errorf("%d connections are held, want the late one", n)
		}
		time.Sleep(idleConnTimeout / 2)
		if !late() {
			t.Error("the late one is open")
		}
		if n, _ := held(); n != 0 {
			t.Errorf("%d connections are held, want none", n)
		}
		if again := idle(); again() {
			t.Error("closed at once")
		}
		tr.CloseIdleConnections()
		time.Sleep(2 * idleConnTimeout)
	})
}

// TestTransportConnections: over TLS, requests share a connection until the
// engine closes it. What is no socket cannot be looked at, and is not used again.
func TestTransportConnections(t *testing.T) {
	dir := t.TempDir()
	config := certs(t, dir)
	over := func(dial func(context.Context) (net.Conn, error), restart func()) (dials int) {
		tr := &Transport{dial: func(ctx context.Context) (net.Conn, error) {
			dials++
			return dial(ctx)
		}}
		defer tr.CloseIdleConnections()
		e := &spokenEngine{Transport: tr}
		for i := range 6 {
			r := newAsk(t, "POST", "/", strings.NewReader("body"), 4)
			if i == 3 {
				restart()
				r = newAsk(t, "GET", "/", nil, 0) // its end may still be under way
			}
			if got, err := e.ask(r); err != nil || got != "200 second" {
				t.Errorf("request %d: got %q, %v", i, got, err)
			}
		}
		return dials
	}
	t.Run("TLS", func(t *testing.T) {
		l, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		conns := make(chan net.Conn, 6)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				conns <- c
				go answering(&line{c, bufio.NewReader(c), t})
			}
		}()
		u, err := NewUpstream("tcp://"+l.Addr().String(), TLSFiles{CertPath: dir, Verify: true})
		if err != nil {
			t.Fatal(err)
		}
		if dials := over(u.Dial, func() { (<-conns).Close() }); dials != 2 {
			t.Errorf("dialled %d times, want 2", dials)
		}
	})
	t.Run("pipe", func(t *testing.T) {
		dials := over(func(context.Context) (net.Conn, error) {
			a, b := net.Pipe()
			go answering(&line{b, bufio.NewReader(b), t})
			return a, nil
		}, func() {})
		if dials != 6 {
			t.Errorf("dialled %d times, want 6", dials)
		}
	})
}

// TestTransportConcurrent: whatever is asked at the same time, and given up,
// everyone gets the answer to their own request.
func TestTransportConcurrent(t *testing.T) {
	e := spoken(t, func(l *line) {
		for {
			text, err := l.hear()
			if err != nil {
				return
			}
			l.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
		}
	})
	var asking sync.WaitGroup
	for i := range 16 {
		asking.Go(func() {
			for j := range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				target := fmt.Sprintf("/%d/%d", i, j)
				body := strings.Repeat(target, 1+j*97)
				var r *http.Request
				switch j % 4 {
				case 0:
					r, body = newAsk(t, "GET", target, nil, 0), ""
				case 1:
					r = newAsk(t, "POST", target, strings.NewReader(body), int64(len(body)))
				case 2:
					r = newAsk(t, "POST", target, newSource(strings.NewReader(body)), -1)
				case 3:
					r = newAsk(t, "PUT", target, newSource(strings.NewReader(body)), int64(len(body)))
				}
				if i%4 == 0 && j%3 == 0 {
					go cancel()
				}
				got, err := e.ask(r.WithContext(ctx))
				if errors.Is(err, context.Canceled) {
					continue
				}
				if want := fmt.Sprintf("200 %s %s %s", r.Method, target, body); err != nil || got != want {
					t.Errorf("%s: got %.60q, %v, want %.60q", target, got, err, want)
				}
			}
		})
	}
	asking.Wait()
}
