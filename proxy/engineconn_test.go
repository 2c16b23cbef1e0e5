package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
		{name: "long trailer", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", want: "200 ok X=", err: "long trailer"},
		{name: "unannounced trailer", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: a\r\n\r\n", want: "200 ok"},
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
					got += " " + name + "=" + strings.Join(values, ",")
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
