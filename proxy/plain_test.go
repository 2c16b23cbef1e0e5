package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainHeads are heads that clients of an engine send.
var plainHeads = []string{
	"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n",
	"HEAD /_ping HTTP/1.1\r\nHost: api.moby.localhost\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n\r\n",
	"GET /v1.51/containers/json?all=1&filters=%7B%22label%22%3A%7B%22a%3Db%22%3Atrue%7D%7D HTTP/1.1\r\nHost: localhost:2375\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
	"GET /v1.41/volumes HTTP/1.1\r\nHost: localhost\r\nUser-Agent: docker-sdk-python/7.1.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
	"GET /images/a%2Fb:1/json HTTP/1.1\r\nHost: %2Fvar%2Frun%2Fdocker.sock\r\nX-Registry-Auth: e30=\r\nTraceparent: 00-1-1-01\r\n\r\n",
	"GET / HTTP/1.1\r\nHost:  x \r\nUser-Agent:   a b  \r\n\r\n",
	"GET //x/../y?a=b?c#d HTTP/1.1\r\nHost: [::1]:2375\r\nAccept: \r\n\r\n",
}

// oddHeads must go to net/http's server, where they are refused or say something
// about the body or the connection.
var oddHeads = map[string]string{
	"nothing":              "",
	"no end":               "GET / HTTP/1.1\r\nHost: x\r\n",
	"half a method":        "GE",
	"a body's length":      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
	"no body's length":     "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
	"chunks":               "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"a trailer":            "GET / HTTP/1.1\r\nHost: x\r\nTrailer: A\r\n\r\n",
	"an upgrade":           "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
	"an upgrade alone":     "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n",
	"an expectation":       "GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
	"the last request":     "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	"two wishes":           "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, close\r\n\r\n",
	"a header twice":       "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nAccept: b\r\n\r\n",
	"two hosts":            "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
	"no host":              "GET / HTTP/1.1\r\nAccept: a\r\n\r\n",
	"no headers":           "GET / HTTP/1.1\r\n\r\n",
	"an empty host":        "GET / HTTP/1.1\r\nHost: \r\n\r\n",
	"a host with a path":   "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
	"a host with a blank":  "GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
	"a user at a host":     "GET / HTTP/1.1\r\nHost: u@x\r\n\r\n",
	"a folded header":      "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\n b\r\n\r\n",
	"a folded host":        "GET / HTTP/1.1\r\nHost: \r\n x\r\n\r\n",
	"bare line feeds":      "GET / HTTP/1.1\nHost: x\n\n",
	"a bare line feed":     "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\nContent-Length: 1\r\n\r\n",
	"a bare return":        "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\rb\r\n\r\n",
	"an end of line feeds": "GET / HTTP/1.1\r\nHost: x\n\nGET / HTTP/1.1\r\n\r\n",
	"a NUL":                "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\x00\r\n\r\n",
	"a NUL in the target":  "GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
	"a tab":                "GET / HTTP/1.1\r\nHost: x\r\nAccept:\ta\r\n\r\n",
	"no blank":             "GET / HTTP/1.1\r\nHost:x\r\n\r\n",
	"a blank before colon": "GET / HTTP/1.1\r\nHost: x\r\nAccept : a\r\n\r\n",
	"a header unknown":     "GET / HTTP/1.1\r\nHost: x\r\nX-Meta-A: a\r\n\r\n",
	"a header in capitals": "GET / HTTP/1.1\r\nHost: x\r\nACCEPT: a\r\n\r\n",
	"a line without colon": "GET / HTTP/1.1\r\nHost: x\r\nAccept\r\n\r\n",
	"UTF-8":                "GET / HTTP/1.1\r\nHost: x\r\nAccept: \u00e4\r\n\r\n",
	"UTF-8 in the target":  "GET /\u00e4 HTTP/1.1\r\nHost: x\r\n\r\n",
	"an absolute target":   "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n",
	"an asterisk":          "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
	"no target":            "GET HTTP/1.1\r\nHost: x\r\n\r\n",
	"two blanks":           "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
	"a blank at the end":   "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
	"a broken escape":      "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
	"HTTP/1.0":             "GET / HTTP/1.0\r\nHost: x\r\n\r\n",
	"HTTP/0.9":             "GET /\r\n\r\n",
	"HTTP/2.0":             "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
	"a preface":            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"an empty line first":  "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"a POST":               "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
	"another method":       "GETS / HTTP/1.1\r\nHost: x\r\n\r\n",
	"a lower-case method":  "get / HTTP/1.1\r\nHost: x\r\n\r\n",
}

func TestPlainRequest(t *testing.T) {
	for _, head := range plainHeads {
		if _, size := plainRequest([]byte(head+"rest"), new(headerRoom)); size != len(head) {
			t.Errorf("%q: got %d bytes, want %d", head, size, len(head))
		}
	}
	for name, head := range oddHeads {
		if r, size := plainRequest([]byte(head), new(headerRoom)); size != 0 {
			t.Errorf("%s: %s %s is plain, of %d bytes", name, r.Method, r.RequestURI, size)
		}
	}
}

// A plain request is read as net/http reads it, up to the same byte.
func FuzzPlainRequest(f *testing.F) {
	for _, head := range plainHeads {
		f.Add([]byte(head))
		f.Add([]byte(head + "POST / HTTP/1.1\r\n"))
	}
	for _, head := range oddHeads {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, size := plainRequest(b, new(headerRoom))
		if size == 0 {
			return
		}
		src := bytes.NewReader(b)
		in := bufio.NewReaderSize(src, max(len(b), 16))
		want, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("plain, but: %v", err)
		}
		if diff := cmp.Diff(seen(want), seen(&got)); diff != "" {
			t.Error(diff)
		}
		if n, err := io.Copy(io.Discard, want.Body); n != 0 || err != nil {
			t.Errorf("it has a body of %d bytes: %v", n, err)
		}
		if used := len(b) - src.Len() - in.Buffered(); used != size {
			t.Errorf("got %d bytes, want %d", size, used)
		}
		for _, name := range []string{"Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Expect", "Te"} {
			if want.Header[name] != nil {
				t.Errorf("plain, with %s", name)
			}
		}
	})
}

// seen is what a handler sees of a request.
func seen(r *http.Request) map[string]any {
	return map[string]any{
		"method": r.Method, "URI": r.RequestURI, "proto": fmt.Sprint(r.Proto, r.ProtoMajor, r.ProtoMinor), "host": r.Host, "header": r.Header,
		"URL": *r.URL, "length": r.ContentLength, "coding": r.TransferEncoding, "close": r.Close, "trailer": r.Trailer, "no body": r.Body == http.NoBody,
	}
}

// net/http's server checks hosts byte by byte.
func TestPlainHosts(t *testing.T) {
	l := newPipes()
	serveLanes(t, l, http.HandlerFunc(echo))
	for b := range 256 {
		host := string([]byte{byte(b)})
		if !plainHost(host) {
			continue
		}
		c := l.dial(t)
		c.send("GET / HTTP/1.1\r\nhost: " + host + "\r\n\r\n")
		if got := c.answer(http.MethodGet); !strings.HasPrefix(got, "200 ") || !strings.HasSuffix(got, "by the server") {
			t.Errorf("host %q is plain, but the server says %s", host, got)
		}
		c.Close()
	}
}
