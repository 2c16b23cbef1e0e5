package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Requests are answered in order and each byte is used once, however they come.
func TestLanePipelines(t *testing.T) {
	get := func(n int) string { return fmt.Sprintf(plainGet, n) }
	odd := func(n int) string { return fmt.Sprintf(oddGet, n) }
	post := fmt.Sprintf("POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", len(get(9))) + get(9)
	posted := "200 POST /2 " + get(9)
	for name, tt := range map[string]struct {
		sent  string
		want  []string
		lanes int // answers that come from the lane when all is sent at once
	}{
		"plain":        {get(1) + get(2) + get(3), []string{"200 GET /1 ", "200 GET /2 ", "200 GET /3 "}, 3},
		"handed over":  {get(1) + odd(2) + get(3), []string{"200 GET /1 ", "200 GET /2 ", "200 GET /3 "}, 1},
		"with a body":  {get(1) + post + get(3), []string{"200 GET /1 ", posted, "200 GET /3 "}, 1},
		"from the top": {post + get(3), []string{posted, "200 GET /3 "}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := newPipes()
			serveLanes(t, l, http.HandlerFunc(echo))
			for at := range len(tt.sent) {
				c := l.dial(t)
				c.send(tt.sent[:at], tt.sent[at:])
				for i, want := range tt.want {
					got, by, _ := strings.Cut(c.answer(http.MethodGet), " by ")
					if got != want || at == 0 && (by == "a lane") != (i < tt.lanes) {
						t.Errorf("cut at %d, answer %d: got %q by %s, want %q", at, i, got, by, want)
					}
				}
				c.Close()
			}
		})
	}
}

// A head that is longer than a lane reads goes to the server with all its bytes.
func TestLaneLongHead(t *testing.T) {
	l := newPipes()
	serveLanes(t, l, http.HandlerFunc(echo))
	for _, n := range []int{laneRead - 60, laneRead, 3 * laneRead} {
		c := l.dial(t)
		query := strings.Repeat("q", n)
		c.send("GET /?" + query + " HTTP/1.1\r\nHost: x\r\n\r\n" + fmt.Sprintf(plainGet, 2))
		got := []string{c.answer("GET"), c.answer("GET")}
		by := "the server"
		if n < laneRead {
			by = "a lane"
		}
		if want := "200 GET /?" + query + "  by " + by; got[0] != want {
			t.Errorf("%d bytes: got %s", n, got[0])
		}
		if !strings.HasPrefix(got[1], "200 GET /2 ") {
			t.Errorf("behind %d bytes: got %s", n, got[1])
		}
	}
}

// slow holds exchanges until they are released or their context ends.
type slow struct {
	release chan struct{}
	ended   atomic.Int32 // exchanges whose context ended first
}

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.release:
		echo(w, r)
	case <-r.Context().Done():
		s.ended.Add(1)
	}
}

// The exchange of a client that leaves ends, whether or not others do.
func TestLaneClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newPipes(), &slow{release: make(chan struct{})}
		serveLanes(t, l, s)
		for range 2 {
			silent, early := l.dial(t), l.dial(t)
			silent.send(fmt.Sprintf(plainGet, 1))
			early.send(fmt.Sprintf(plainGet, 1), "GET /")
			synctest.Wait()
			silent.Close()
			time.Sleep(2 * watchAfter)
			early.Close()
			synctest.Wait()
		}
		if n := s.ended.Load(); n != 4 {
			t.Errorf("%d exchanges have ended, want 4", n)
		}
		here := l.dial(t)
		here.send(fmt.Sprintf(plainGet, 2))
		close(s.release)
		if got, want := here.answer("GET"), "200 GET /2  by a lane"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// A client may send more than is read ahead and leave: that is noticed too.
func TestLaneClientLeavesMuch(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	began, ended := make(chan struct{}), make(chan struct{})
	serveLanes(t, ln, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(ended)
	}))
	conn, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, fmt.Sprintf(plainGet, 1)+strings.Repeat("x", 2*laneRead))
	<-began
	time.Sleep(2 * watchAfter)
	conn.Close()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the exchange goes on")
	}
}

// What a client sends during an exchange is answered after it, whole or not.
func TestLaneNextRequestEarly(t *testing.T) {
	post := fmt.Sprintf("POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"+plainGet, 3)
	for name, tt := range map[string]struct{ during, after, want string }{
		"plain":       {fmt.Sprintf(plainGet, 2), "", "200 GET /2 "},
		"plain piece": {fmt.Sprintf(plainGet, 2)[:10], fmt.Sprintf(plainGet, 2)[10:], "200 GET /2 "},
		"other":       {post, "", "200 POST /2 abc"},
		"other piece": {post[:30], post[30:], "200 POST /2 abc"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, s := newPipes(), &slow{release: make(chan struct{})}
				serveLanes(t, l, s)
				c := l.dial(t)
				c.send(fmt.Sprintf(plainGet, 1))
				time.Sleep(2 * watchAfter)
				io.WriteString(c, tt.during)
				synctest.Wait()
				close(s.release)
				if got, want := c.answer("GET"), "200 GET /1  by a lane"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				c.send(tt.after)
				if got, _, _ := strings.Cut(c.answer("GET"), " by "); got != tt.want {
					t.Errorf("then got %s, want %s", got, tt.want)
				}
				if s.ended.Load() != 0 {
					t.Error("the exchange was ended")
				}
			})
		})
	}
}

// Exchanges take as long as they do; between them clients have idleTimeout, and
// headerTimeout for the first.
func TestLaneTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		sent           string
		exchange, idle time.Duration
		open           bool
	}{
		"nothing":                   {"", 0, headerTimeout + time.Second, false},
		"a part of a head":          {"GET / HT", 0, 2*headerTimeout + time.Second, false},
		"a while between":           {plainGet, 0, idleTimeout - 2*time.Second, true},
		"too long between":          {plainGet, 0, idleTimeout + time.Second, false},
		"a long exchange":           {plainGet, 3 * idleTimeout, idleTimeout - 2*time.Second, true},
		"a while after a slow one":  {plainGet, 2 * watchAfter, idleTimeout - 2*time.Second, true},
		"too long after a slow one": {plainGet, 2 * watchAfter, idleTimeout + time.Second, false},
		"too long after a long one": {plainGet, 3 * idleTimeout, idleTimeout + time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newPipes()
				serveLanes(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-time.After(tt.exchange):
						echo(w, r)
					case <-r.Context().Done():
					}
				}))
				c := l.dial(t)
				if tt.sent == plainGet {
					for i := range 2 {
						c.send(fmt.Sprintf(plainGet, i))
						if got, want := c.answer("GET"), fmt.Sprintf("200 GET /%d  by a lane", i); got != want {
							t.Errorf("got %s, want %s", got, want)
						}
					}
				} else {
					c.send(tt.sent)
				}
				time.Sleep(tt.idle)
				c.send(fmt.Sprintf(plainGet, 9))
				if got := c.answer("GET"); strings.HasPrefix(got, "200 GET /9 ") != tt.open {
					t.Errorf("then got %s", got)
				}
			})
		})
	}
}

// The context of a request ends with its exchange, not with the connection.
func TestLaneContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		var contexts []context.Context
		serveLanes(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			contexts = append(contexts, r.Context())
			if r.Context().Err() != nil {
				t.Error("a request begins with a context that has ended")
			}
			echo(w, r)
		}))
		c := l.dial(t)
		for i := range 2 {
			c.send(fmt.Sprintf(plainGet, i))
			c.answer("GET")
			synctest.Wait()
			if contexts[i].Err() == nil {
				t.Error("the request's context goes on")
			}
		}
	})
}

// What is flushed of a stream arrives while the stream goes on, the head first.
func TestLaneStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := make(chan string, 1)
		l := newPipes()
		serveLanes(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f := newFlushWriter(w)
			f.WriteHeader(http.StatusOK)
			for text := range next {
				io.WriteString(f, text)
			}
		}))
		c := l.dial(t)
		c.send(fmt.Sprintf(plainGet, 1))
		resp, err := http.ReadResponse(c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1<<20)
		for _, size := range []int{1, 100, laneBuffer - 1, laneBuffer, laneBuffer + 1, 1 << 20} {
			text := strings.Repeat("x", size)
			next <- text
			if _, err := io.ReadFull(resp.Body, buf[:size]); err != nil || string(buf[:size]) != text {
				t.Errorf("%d bytes: %v", size, err)
			}
			time.Sleep(time.Hour)
		}
		close(next)
		if n, err := resp.Body.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("at the end got %d bytes, %v", n, err)
		}
	})
}

// The head of an engine's stream arrives while its first byte is to come.
func TestLaneHeadOfASilentStream(t *testing.T) {
	release := make(chan struct{})
	dial := serveGuard(t, &recorder{answers: map[string]http.HandlerFunc{
		"GET /containers/web/json": answer(ownedBy("team-a", idA)),
		"GET /containers/" + idA + "/logs": func(w http.ResponseWriter, _ *http.Request) {
			http.NewResponseController(w).Flush()
			<-release
			io.WriteString(w, "line")
		},
	}})
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(conn, "GET /containers/web/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	close(release)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); string(body) != "line" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

// A client that has said all still gets its answers.
func TestLaneHalfClosed(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	serveLanes(t, ln, http.HandlerFunc(echo))
	conn, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, fmt.Sprintf(plainGet+plainGet, 1, 2))
	conn.(*net.UnixConn).CloseWrite()
	c := &laneClient{conn, bufio.NewReader(conn)}
	if diff := cmp.Diff([]string{"200 GET /1  by a lane", "200 GET /2  by a lane"}, []string{c.answer("GET"), c.answer("GET")}); diff != "" {
		t.Error(diff)
	}
	if !c.closed() {
		t.Error("the connection is open")
	}
}
