package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pipes are a listener in memory: what is written in two pieces is read in two.
type pipes struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.errs:
		return nil, err
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial(t *testing.T) *laneClient {
	client, server := net.Pipe()
	p.conns <- server
	t.Cleanup(func() { client.Close() })
	return &laneClient{client, bufio.NewReader(client)}
}

// A laneClient speaks HTTP by hand.
type laneClient struct {
	net.Conn
	r *bufio.Reader
}

// send writes pieces one after the other while answers are read.
func (c *laneClient) send(pieces ...string) {
	go func() {
		for _, p := range pieces {
			if p != "" {
				io.WriteString(c, p)
			}
		}
	}()
}

// answer returns status, body and who has answered.
func (c *laneClient) answer(method string) string {
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return err.Error()
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s by %s", resp.StatusCode, body, resp.Header.Get("By"))
}

// closed reports whether the other side has closed without another byte.
func (c *laneClient) closed() bool {
	_, err := c.r.ReadByte()
	return err != nil
}

// serveLanes serves ln in lanes and, what they leave, in net/http's server, like
// a Socket. The answers say which it was.
func serveLanes(t *testing.T, ln net.Listener, h http.Handler) (l *lanes, served <-chan error) {
	life, end := context.WithCancel(context.Background())
	by := func(who string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("By", who)
			h.ServeHTTP(w, r)
		})
	}
	l = newLanes(ln, by("a lane"), life, slog.New(slog.DiscardHandler))
	s := &http.Server{
		Handler: by("the server"), BaseContext: func(net.Listener) context.Context { return life },
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ErrorLog: log.New(io.Discard, "", 0),
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		end()
		l.cut()
	})
	return l, done
}

// echo answers with what was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	text := fmt.Sprintf("%s %s %s", r.Method, r.URL, body)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	io.WriteString(w, text)
}

const (
	plainGet = "GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
	oddGet   = "GET /%d HTTP/1.1\r\nhost: x\r\n\r\n"
)

// At the end idle lanes close at once, the others when their answer is sent,
// which says so. One whose client does not read is cut.
func TestLaneShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := newPipes(), &slow{release: make(chan struct{})}
		lanes, served := serveLanes(t, l, s)
		fresh, idle, busy, deaf := l.dial(t), l.dial(t), l.dial(t), l.dial(t)
		idle.send(fmt.Sprintf(plainGet, 1))
		s.release <- struct{}{}
		idle.answer("GET")
		for _, c := range []*laneClient{busy, deaf} {
			c.send(fmt.Sprintf(plainGet, 2) + fmt.Sprintf(plainGet, 3))
		}
		synctest.Wait()
		start := time.Now()
		if err := lanes.Close(); err != nil {
			t.Error(err)
		}
		if err := lanes.Close(); err != net.ErrClosed {
			t.Errorf("closed again: %v", err)
		}
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the server ends with %v", err)
		}
		if !fresh.closed() || !idle.closed() || time.Since(start) != 0 {
			t.Errorf("idle lanes are open for %v", time.Since(start))
		}
		grace, cancel := context.WithTimeout(t.Context(), shutdownGrace)
		defer cancel()
		close(s.release)
		resp, err := http.ReadResponse(busy.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if string(body) != "GET /2 " || err != nil || !resp.Close {
			t.Errorf("got %q, %v, last: %t", body, err, resp.Close)
		}
		if !busy.closed() {
			t.Error("a request is answered after the end")
		}
		if lanes.wait(grace); time.Since(start) != shutdownGrace {
			t.Errorf("a client that does not read is waited for %v", time.Since(start))
		}
		lanes.cut()
		if !deaf.closed() {
			t.Error("a client that did not read still gets its answer")
		}
		lanes.wait(t.Context()) // nothing is left
		late, conn := net.Pipe()
		if lanes.enter(newLane(lanes, conn)) {
			t.Error("a lane opens after the end")
		}
		if !(&laneClient{late, bufio.NewReader(late)}).closed() {
			t.Error("a late connection is open")
		}
	})
}

// An answer that has begun at the end is whole, and the last one.
func TestLaneShutdownInAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, release := newPipes(), make(chan struct{})
		lanes, _ := serveLanes(t, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.NewResponseController(w).Flush()
			<-release
			io.WriteString(w, "x")
		}))
		c := l.dial(t)
		c.send(fmt.Sprintf(plainGet, 1), fmt.Sprintf(plainGet, 2))
		resp, err := http.ReadResponse(c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		lanes.Close()
		close(release)
		if body, err := io.ReadAll(resp.Body); string(body) != "x" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
		if !c.closed() {
			t.Error("a request is answered after the end")
		}
	})
}

// A lane that is about to be handed over at the end closes too.
func TestLaneShutdownWhileHandingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		lanes := newLanes(l, http.HandlerFunc(echo), t.Context(), slog.New(slog.DiscardHandler))
		c := l.dial(t)
		c.send(fmt.Sprintf(oddGet, 1))
		synctest.Wait() // nobody accepts it
		start := time.Now()
		lanes.Close()
		if !c.closed() || time.Since(start) != 0 {
			t.Errorf("the connection is open for %v", time.Since(start))
		}
		lanes.wait(t.Context())
	})
}

// A process that is out of descriptors serves on when it has some again.
func TestLaneAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		_, served := serveLanes(t, l, http.HandlerFunc(echo))
		for range 3 {
			l.errs <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
		}
		for i, head := range []string{plainGet, oddGet} {
			c := l.dial(t)
			c.send(fmt.Sprintf(head, i))
			if got, want := c.answer("GET"), fmt.Sprintf("200 GET /%d ", i); !strings.HasPrefix(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		broken := errors.New("broken")
		l.errs <- broken
		if err := <-served; err != broken {
			t.Errorf("the server ends with %v", err)
		}
	})
}
