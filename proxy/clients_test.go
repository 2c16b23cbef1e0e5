package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Requests are answered in order and each byte is used once, however they come.
func TestPipelines(t *testing.T) {
	get := func(n int) string { return fmt.Sprintf("GET %s&tail=%d HTTP/1.1\r\nHost: x\r\n\r\n", logs, n) }
	got := func(n int) string { return fmt.Sprintf("200 GET /v1.51/containers/%s/logs?stdout=1&tail=%d ", idA, n) }
	body := get(9)
	for framing, put := range map[string]string{
		"declared": fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", archive, len(body), body),
		"chunked":  fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", archive, len(body), body),
	} {
		text := get(1) + put + get(3)
		s := scripted(t, (*line).answerAll)
		for at := 0; at < len(text); at += 7 {
			c := s.dial(t)
			io.WriteString(c, text[:at])
			time.Sleep(time.Millisecond)
			io.WriteString(c, text[at:])
			for i, want := range []string{got(1), "200 PUT /v1.51/containers/" + idA + "/archive?path=%2F " + body, got(3)} {
				if got, err := c.hear("GET"); err != nil || got != want {
					t.Errorf("%s, cut at %d, answer %d: got %q, %v, want %q", framing, at, i, got, err, want)
				}
			}
			c.Close()
		}
	}
}

// What was read ahead of an upload's end may begin the stream of the next request.
func TestReadAheadOfATunnel(t *testing.T) {
	const stdin = 100 << 10
	heard := make(chan int, 1)
	s := scripted(t, func(l *line) {
		for {
			r, err := l.hearHead()
			switch {
			case err != nil:
				return
			case r.Method == "PUT":
				io.Copy(io.Discard, r.Body)
				l.answer("")
			default:
				l.say("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
				n, _ := io.Copy(io.Discard, l.r)
				heard <- int(n)
				return
			}
		}
	})
	c := s.dial(t)
	fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"+
		"POST /containers/web/attach?stdin=1&stream=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n%s", archive, strings.Repeat("x", stdin))
	c.CloseWrite()
	if got := <-heard; got != stdin {
		t.Errorf("the engine got %d bytes of the stream, not %d", got, stdin)
	}
}

// A client that closes its writing side has said all, and gets its answers all the
// same, also those that take a while.
func TestHalfClosedClients(t *testing.T) {
	for name, tt := range map[string]struct {
		sent string
		want []string
	}{
		"two requests": {strings.Repeat("GET "+logs+" HTTP/1.1\r\nHost: x\r\n\r\n", 2), []string{"200 " + asked, "200 " + asked}},
		"a body":       {"PUT " + archive + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", []string{"200 PUT /v1.51/containers/" + idA + "/archive?path=%2F ab"}},
		"a refusal":    {"GET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n", []string{`501 {"message":"sockguard: `}},
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t, func(l *line) {
				for {
					text, err := l.hear()
					if err != nil {
						return
					}
					time.Sleep(100 * time.Millisecond)
					l.answer(text)
				}
			})
			c := s.dial(t)
			io.WriteString(c, tt.sent)
			c.CloseWrite()
			for i, want := range tt.want {
				if got, err := c.hear("GET"); err != nil || !strings.HasPrefix(got, want) {
					t.Errorf("answer %d: got %q, %v, want %q", i, got, err, want)
				}
			}
			if _, err := c.r.ReadByte(); err != io.EOF {
				t.Errorf("the connection ends with %v", err)
			}
		})
	}
}

// The exchange with the engine ends when the client leaves, at any stage, also a
// client that had closed its writing side or sent a part of the next request.
func TestClientLeaves(t *testing.T) {
	get := "GET " + logs + " HTTP/1.1\r\nHost: x\r\n\r\n"
	stages := map[string]func(l *line, leave func()){
		"before the answer": func(l *line, leave func()) { l.hear(); leave() },
		"in the head":       func(l *line, leave func()) { l.hear(); l.say("HTTP/1.1 200"); leave() },
		"in the body": func(l *line, leave func()) {
			l.hear()
			l.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")
			leave()
		},
		"in a silent stream": func(l *line, leave func()) {
			l.hear()
			l.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			leave()
		},
		"while it is decided": func(l *line, leave func()) { http.ReadRequest(l.r); leave() },
	}
	for stage, script := range stages {
		for how, leave := range map[string]func(c *caller){
			"at once":         func(c *caller) { c.Close() },
			"half closed":     func(c *caller) { c.CloseWrite(); time.Sleep(100 * time.Millisecond); c.Close() },
			"with more to do": func(c *caller) { io.WriteString(c, get[:9]); c.Close() },
		} {
			t.Run(stage+", "+how, func(t *testing.T) {
				t.Parallel()
				here, left := make(chan bool), make(chan bool)
				s := scripted(t, func(l *line) {
					script(l, func() { close(here); <-left })
					l.gone()
				}, (*line).answerAll)
				c := s.dial(t)
				io.WriteString(c, get)
				<-here
				leave(c)
				close(left)
			})
		}
	}
}

// A client in the middle of an upload that leaves ends the upload.
func TestClientLeavesUpload(t *testing.T) {
	left := make(chan bool)
	s := scripted(t, (*line).answerAll, func(l *line) {
		l.hearHead()
		<-left
		l.gone()
	})
	c := s.dial(t)
	io.WriteString(c, "PUT "+archive+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhalf")
	c.Close()
	close(left)
}

// What a client sends during an exchange is answered after it, whole or not.
func TestNextRequestEarly(t *testing.T) {
	get := "GET " + logs + " HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, at := range []int{1, 10, len(get)} {
		release := make(chan bool)
		s := scripted(t, func(l *line) {
			for range 2 {
				text, _ := l.hear()
				<-release
				l.answer(text)
			}
		})
		c := s.dial(t)
		io.WriteString(c, get)
		time.Sleep(10 * time.Millisecond)
		io.WriteString(c, get[:at])
		time.Sleep(10 * time.Millisecond)
		close(release)
		for i := range 2 {
			if got, err := c.hear("GET"); err != nil || got != "200 "+asked {
				t.Errorf("after %d bytes, answer %d: got %q, %v", at, i, got, err)
			}
			if i == 0 {
				io.WriteString(c, get[at:])
			}
		}
	}
}

// A client that closes its writing side with its attach still gets the stream: it
// has nothing for standard input. What it sends early reaches the engine.
func TestAttachOfHalfClosedClients(t *testing.T) {
	for _, early := range []string{"", "early"} {
		s := scripted(t, (*line).answerAll, func(l *line) {
			l.hearHead()
			time.Sleep(100 * time.Millisecond)
			l.say("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nwelcome ")
			if in := l.gone(); in != early {
				t.Errorf("the engine hears %q", in)
			}
			l.say("goodbye")
		})
		c := s.dial(t)
		io.WriteString(c, "POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"+early)
		c.CloseWrite()
		resp, err := http.ReadResponse(c.r, nil)
		if err != nil || resp.StatusCode != 101 {
			t.Fatal(resp, err)
		}
		if out, err := io.ReadAll(c.r); err != nil || string(out) != "welcome goodbye" {
			t.Errorf("got %q, %v", out, err)
		}
	}
}
