package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
