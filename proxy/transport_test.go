package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

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
