package proxy

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// laneAnswer is what a client makes of an answer.
type laneAnswer struct {
	Status  int
	Header  http.Header
	Body    string
	Whole   bool
	Another bool // the connection serves another request
}

// answerOver has h answer one request, in a lane or in net/http's server.
func answerOver(t *testing.T, lane bool, method string, h http.HandlerFunc) (a laneAnswer) {
	l := newPipes()
	mux := http.NewServeMux()
	mux.HandleFunc("/1", h)
	mux.HandleFunc("/2", echo)
	serveLanes(t, l, mux)
	head := method + " /1 HTTP/1.1\r\nHost: x\r\n\r\n"
	if !lane {
		head = strings.Replace(head, "Host", "host", 1)
	}
	c := l.dial(t)
	c.send(head)
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	for err == nil && resp.StatusCode < 200 {
		resp, err = http.ReadResponse(c.r, &http.Request{Method: method})
	}
	if err != nil {
		return a
	}
	body, err := io.ReadAll(resp.Body)
	a = laneAnswer{Status: resp.StatusCode, Header: resp.Header, Body: string(body), Whole: err == nil}
	if by := resp.Header.Get("By"); (by == "a lane") != lane {
		t.Errorf("answered by %s", by)
	}
	resp.Header.Del("By")
	if resp.Header.Get("Date") == "" {
		t.Error("no date")
	}
	resp.Header.Del("Date")
	c.send(fmt.Sprintf(plainGet, 2))
	a.Another = strings.HasPrefix(c.answer("GET"), "200 GET /2 ")
	return a
}

// A client makes the same of an answer whether it comes from a lane or from
// net/http's server.
func TestLaneWriter(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 5<<10)
	length := func(w http.ResponseWriter, n int) { w.Header().Set("Content-Length", strconv.Itoa(n)) }
	flush := func(w http.ResponseWriter) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
	}
	type handler = func(w http.ResponseWriter)
	handlers := map[string]handler{
		"nothing":         func(w http.ResponseWriter) {},
		"no WriteHeader":  func(w http.ResponseWriter) { io.WriteString(w, "x") },
		"empty writes":    func(w http.ResponseWriter) { w.Write(nil); io.WriteString(w, "x"); w.Write(nil) },
		"length":          func(w http.ResponseWriter) { length(w, 3); io.WriteString(w, "abc") },
		"length zero":     func(w http.ResponseWriter) { length(w, 0); w.WriteHeader(200) },
		"length in parts": func(w http.ResponseWriter) { length(w, 3); io.WriteString(w, "a"); flush(w); io.WriteString(w, "bc") },
		"large length":    func(w http.ResponseWriter) { length(w, len(big)); io.WriteString(w, big) },
		"large in parts": func(w http.ResponseWriter) {
			length(w, len(big)+9)
			io.WriteString(w, "abc")
			io.WriteString(w, big[:laneBuffer])
			io.WriteString(w, "def")
			io.WriteString(w, big[laneBuffer:])
			io.WriteString(w, "ghi")
		},
		"chunks": func(w http.ResponseWriter) { io.WriteString(w, "a"); flush(w); io.WriteString(w, "bc"); flush(w) },
		"large chunks": func(w http.ResponseWriter) {
			io.WriteString(w, "a")
			io.WriteString(w, big)
			io.WriteString(w, "b")
			io.WriteString(w, big)
		},
		"many chunks": func(w http.ResponseWriter) {
			for range 9 << 10 {
				io.WriteString(w, "abc")
			}
		},
		"flush first":  func(w http.ResponseWriter) { flush(w); w.WriteHeader(404); io.WriteString(w, "x") },
		"flush only":   func(w http.ResponseWriter) { flush(w) },
		"status":       func(w http.ResponseWriter) { w.WriteHeader(418); io.WriteString(w, "x") },
		"status twice": func(w http.ResponseWriter) { w.WriteHeader(404); w.WriteHeader(200); io.WriteString(w, "x") },
		"odd status":   func(w http.ResponseWriter) { w.WriteHeader(599); io.WriteString(w, "x") },
		"early hints":  func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(404); io.WriteString(w, "x") },
		"late header":  func(w http.ResponseWriter) { w.WriteHeader(200); w.Header().Set("Late", "1"); io.WriteString(w, "x") },
		"headers": func(w http.ResponseWriter) {
			w.Header()["A"] = []string{"1", "2"}
			w.Header().Set("B", "c\td e")
			w.WriteHeader(200)
		},
		"204":            func(w http.ResponseWriter) { w.WriteHeader(204) },
		"204 with body":  func(w http.ResponseWriter) { w.WriteHeader(204); io.WriteString(w, "x") },
		"204 and length": func(w http.ResponseWriter) { length(w, 3); w.WriteHeader(204) },
		"304": func(w http.ResponseWriter) {
			w.Header().Del("Content-Type")
			w.WriteHeader(304)
			io.WriteString(w, "x")
		},
		"304 and length": func(w http.ResponseWriter) { w.Header().Del("Content-Type"); length(w, 3); w.WriteHeader(304) },
		"short":          func(w http.ResponseWriter) { length(w, 9); io.WriteString(w, "abc") },
		"short by all":   func(w http.ResponseWriter) { length(w, 9) },
		"short flushed":  func(w http.ResponseWriter) { length(w, 9); io.WriteString(w, "abc"); flush(w) },
		"long":           func(w http.ResponseWriter) { length(w, 3); io.WriteString(w, "abc"); io.WriteString(w, "d") },
		"long at once":   func(w http.ResponseWriter) { length(w, 3); io.WriteString(w, "abcd") },
		"own chunks":     func(w http.ResponseWriter) { w.Header().Set("Transfer-Encoding", "chunked"); io.WriteString(w, "x") },
		"close": func(w http.ResponseWriter) {
			w.Header().Set("Connection", "close")
			length(w, 1)
			io.WriteString(w, "x")
		},
		"close and chunks": func(w http.ResponseWriter) { w.Header().Set("Connection", "close"); io.WriteString(w, "x") },
		"keep alive": func(w http.ResponseWriter) {
			w.Header().Set("Connection", "keep-alive")
			length(w, 1)
			io.WriteString(w, "x")
		},
		"abort":           func(w http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"abort unsent":    func(w http.ResponseWriter) { io.WriteString(w, "x"); panic(http.ErrAbortHandler) },
		"abort of chunks": func(w http.ResponseWriter) { io.WriteString(w, "x"); flush(w); panic(http.ErrAbortHandler) },
		"abort of length": func(w http.ResponseWriter) {
			length(w, 3)
			io.WriteString(w, "x")
			flush(w)
			panic(http.ErrAbortHandler)
		},
		"abort after all": func(w http.ResponseWriter) {
			length(w, 1)
			io.WriteString(w, "x")
			flush(w)
			panic(http.ErrAbortHandler)
		},
		"panic":           func(w http.ResponseWriter) { io.WriteString(w, "x"); panic("oops") },
		"panic in chunks": func(w http.ResponseWriter) { io.WriteString(w, "x"); flush(w); panic("oops") },
	}
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			t.Run(name+" "+method, func(t *testing.T) {
				declared := false
				h := func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/plain") // the server would guess
					defer func() { _, declared = contentLength(w.Header()) }()
					handlers[name](w)
				}
				want, got := answerOver(t, false, method, h), answerOver(t, true, method, h)
				if !declared {
					want.Header.Del("Content-Length") // the server knows that of a short answer
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-server +lane):\n%s", diff)
				}
			})
		}
	}
}

// No header ends the head, begins another one or says what frame decides.
func TestLaneHeadersAreLines(t *testing.T) {
	for _, evil := range []string{"x\r\nEvil: 1", "x\nEvil: 1", "x\r\n\r\nEvil", "x\rEvil: 1", "x\x00"} {
		got := answerOver(t, true, http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Value"] = []string{evil}
			w.Header()[evil] = []string{"name"}
			w.Header()["Trailer"] = []string{"Evil"}
			w.Header()["Transfer-Encoding"] = []string{"identity"}
			w.Header()["Content-Length"] = []string{"1", "2"}
			io.WriteString(w, "x")
		})
		if diff := cmp.Diff(laneAnswer{200, http.Header{"Content-Length": {"1"}}, "x", true, true}, got); diff != "" {
			t.Errorf("%q: %s", evil, diff)
		}
	}
	for _, length := range []string{"", "x", "-1", "1,2", "99999999999999999999"} {
		got := answerOver(t, true, http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Length"] = []string{length}
			io.WriteString(w, "x")
		})
		if diff := cmp.Diff(laneAnswer{200, http.Header{}, "x", true, true}, got); diff != "" {
			t.Errorf("length %q: %s", length, diff)
		}
	}
}
