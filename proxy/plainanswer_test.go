package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainAnswers are answers as engines write them.
var plainAnswers = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nCache-Control: no-cache\r\nContent-Length: 2\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\nOK",
	"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\nContent-Length: 3\r\n\r\n{}\n",
	"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n1\r\n\n\r\n0\r\n\r\n",
	"HTTP/1.1 201 Created\r\nX:  a \r\nContent-Length: 1\r\n\r\n1",
	"HTTP/1.1 500 \r\nContent-Length: 1\r\n\r\n1",
}

// oddAnswers are left to net/http, whatever it makes of them.
var oddAnswers = map[string]string{
	"a part of a head":      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
	"HTTP/1.0":              "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK",
	"no status":             "HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nOK",
	"a signed status":       "HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\nOK",
	"a long status":         "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nOK",
	"information":           "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
	"another protocol":      "HTTP/1.1 101 UPGRADED\r\nContent-Length: 0\r\n\r\n",
	"no content":            "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
	"not modified":          "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	"no length":             "HTTP/1.1 200 OK\r\n\r\nOK",
	"two lengths":           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nOK",
	"a signed length":       "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nOK",
	"a length of nothing":   "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
	"a huge length":         "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n",
	"a length and chunks":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"another coding":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"a trailer":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\nX: y\r\n\r\n",
	"a connection":          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK",
	"an implied header":     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nPragma: no-cache\r\n\r\nOK",
	"a header twice":        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\r\nX: b\r\n\r\nOK",
	"a header in lower":     "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK",
	"a folded header":       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\r\n b: c\r\n\r\nOK",
	"a blank in a name":     "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nOK",
	"no name":               "HTTP/1.1 200 OK\r\n: 2\r\nContent-Length: 2\r\n\r\nOK",
	"a line without colon":  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX\r\n\r\nOK",
	"a bare line feed":      "HTTP/1.1 200 OK\r\nContent-Length: 2\nX: y\r\n\r\nOK",
	"a bare return":         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\rb\r\n\r\nOK",
	"UTF-8":                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \u00e4\r\n\r\nOK",
	"UTF-8 in the status":   "HTTP/1.1 200 \u00e4\r\nContent-Length: 2\r\n\r\nOK",
	"an empty line first":   "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
	"more lines than stati": "HTTP/1.1\r\nContent-Length: 2\r\n\r\nOK",
}

// filled returns a reader that holds what has come of b, as after a first read.
func filled(b []byte) *bufio.Reader {
	br := bufio.NewReaderSize(bytes.NewReader(b), max(len(b), 16))
	br.Peek(1)
	return br
}

func TestPlainAnswer(t *testing.T) {
	get := &http.Request{Method: http.MethodGet}
	for _, answer := range plainAnswers {
		if plainAnswer(filled([]byte(answer)), get) == nil {
			t.Errorf("%q is odd", answer)
		}
		if br := filled([]byte(answer)); plainAnswer(br, &http.Request{Method: http.MethodHead}) != nil || br.Buffered() != len(answer) {
			t.Errorf("%q is plain for a HEAD", answer)
		}
	}
	for name, answer := range oddAnswers {
		br := filled([]byte(answer))
		if resp := plainAnswer(br, get); resp != nil {
			t.Errorf("%s: %s is plain", name, resp.Status)
		}
		if br.Buffered() != len(answer) {
			t.Errorf("%s: something of it was read", name)
		}
	}
}

// A plain answer is read as net/http reads it, up to the same byte.
func FuzzPlainAnswer(f *testing.F) {
	for _, answer := range plainAnswers {
		f.Add([]byte(answer), 7)
		f.Add([]byte(answer+"HTTP/1.1 200 OK\r\n"), 1)
		f.Add([]byte(strings.TrimSuffix(answer, "\n")), 512)
	}
	for _, answer := range oddAnswers {
		f.Add([]byte(answer), 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		get := &http.Request{Method: http.MethodGet}
		in := filled(b)
		got := plainAnswer(in, get)
		if got == nil {
			return
		}
		ref := filled(b)
		want, err := http.ReadResponse(ref, get)
		if err != nil {
			t.Fatalf("plain, but: %v", err)
		}
		body, err := readPieces(got.Body, piece)
		wantBody, wantErr := readPieces(want.Body, piece)
		// A trailer that nobody announced stays unread, and the connection is left
		// with it.
		rest, _ := in.Peek(in.Buffered())
		trailer := err == nil && got.ContentLength < 0 && len(rest) > 0 && (wantErr != nil || len(rest) > ref.Buffered())
		if !bytes.Equal(body, wantBody) || (err == nil) != (wantErr == nil) && !trailer {
			t.Errorf("got body %q, %v, want %q, %v", body, err, wantBody, wantErr)
		}
		if len(rest) != ref.Buffered() && !trailer {
			t.Errorf("left %q, want %d bytes", rest, ref.Buffered())
		}
		got.Body, want.Body, want.Trailer = nil, nil, nil
		if got.Close || want.Close {
			t.Error("plain, but the connection ends with it")
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *http.Request) bool { return a == b })); diff != "" {
			t.Error(diff)
		}
	})
}

// readPieces reads a body in pieces of a size and returns how it ended.
func readPieces(body io.Reader, piece int) (all []byte, err error) {
	buf := make([]byte, min(max(piece, 1), 64<<10))
	for {
		n, err := body.Read(buf)
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// The end of a body stays the end: its connection may be another's by then.
func TestPlainAnswerEndsOnce(t *testing.T) {
	for _, answer := range plainAnswers[1:] {
		br := filled([]byte(answer + "HTTP/1.1 200 OK\r\n"))
		resp := plainAnswer(br, &http.Request{Method: http.MethodGet})
		io.ReadAll(resp.Body)
		left := br.Buffered()
		if n, err := resp.Body.Read(make([]byte, 9)); n != 0 || err != io.EOF || br.Buffered() != left {
			t.Errorf("%q: after the end %d bytes, %v, %d left of %d", answer, n, err, br.Buffered(), left)
		}
	}
}
