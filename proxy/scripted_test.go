package proxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sockguard/policy/verdict"
	"sockguard/proxy/listen"
	"sockguard/proxy/upstream"
)

// A line is the engine's end of a connection, which a test speaks by hand.
type line struct {
	net.Conn
	r *bufio.Reader
	t *testing.T
}

// hear reads a request whole and returns method, target and body. It answers the
// look-ups of the guard by itself: the version, and the container web of the owner.
func (l *line) hear() (string, error) {
	r, err := l.hearHead()
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(r.Body)
	return r.Method + " " + r.RequestURI + " " + string(body), err
}

// hearHead reads the head of a request, as hear does. The body is still to be read.
func (l *line) hearHead() (*http.Request, error) {
	for {
		r, err := http.ReadRequest(l.r)
		switch {
		case err != nil:
			return nil, err
		case r.URL.Path == "/version":
			l.answer(`{"Version":"28.5.2","ApiVersion":"1.51"}`)
		case strings.HasSuffix(r.URL.Path, "/containers/web/json"):
			l.answer(ownedBy("team-a", idA))
		default:
			return r, nil
		}
	}
}

func (l *line) say(text string) { io.WriteString(l, text) }

func (l *line) answer(body string) {
	l.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
}

// answerAll answers every request with what was asked.
func (l *line) answerAll() {
	for {
		text, err := l.hear()
		if err != nil {
			return
		}
		l.answer(text)
	}
}

// gone waits until the guard closes the connection, as it must, and returns the
// last of what it sent before.
func (l *line) gone() string {
	var tail []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := l.r.Read(buf)
		tail = append(tail, buf[:n]...)
		tail = tail[max(0, len(tail)-100):]
		if errors.Is(err, os.ErrDeadlineExceeded) {
			l.t.Error("the guard did not close its connection to the engine")
		}
		if err != nil {
			return string(tail)
		}
	}
}

// A scriptedGuard is a guard of an engine whose connections are scripts: the n-th
// connection is the n-th script's, the last script takes all that follow.
type scriptedGuard struct {
	socket string
	dials  atomic.Int32
}

// scripted starts a guard. When the test ends, every script must have ended.
func scripted(t *testing.T, scripts ...func(*line)) *scriptedGuard {
	t.Helper()
	dir := t.TempDir()
	ln, err := net.Listen("unix", filepath.Join(dir, "engine"))
	if err != nil {
		t.Fatal(err)
	}
	s := &scriptedGuard{socket: filepath.Join(dir, "guard")}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(10 * time.Second))
			n := int(s.dials.Add(1)) - 1
			running.Go(func() {
				defer c.Close()
				scripts[min(n, len(scripts)-1)](&line{c, bufio.NewReader(c), t})
			})
		}
	})
	u, err := upstream.New("unix://"+filepath.Join(dir, "engine"), upstream.TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	guardLn, err := listen.Listen(s.socket, listen.Options{UID: -1, GID: -1})
	if err != nil {
		t.Fatal(err)
	}
	g := NewGuard(&verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey}, u, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- NewSocket(g).Serve(ctx, guardLn) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		g.engine.Close()
		ln.Close()
		running.Wait()
	})
	return s
}

// A caller is a client that speaks HTTP by hand.
type caller struct {
	*net.UnixConn
	r *bufio.Reader
}

func (s *scriptedGuard) dial(t *testing.T) *caller {
	t.Helper()
	c, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return &caller{c.(*net.UnixConn), bufio.NewReader(c)}
}

// hear reads an answer and returns its status, body and trailer as one text.
func (c *caller) hear(method string) (string, error) {
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	text := fmt.Sprintf("%d %s", resp.StatusCode, body)
	for name := range resp.Trailer {
		text += " " + name + "=" + resp.Trailer.Get(name)
	}
	return text, err
}

// ask makes one exchange on a connection of its own.
func (s *scriptedGuard) ask(t *testing.T, method, target, body string) (string, error) {
	t.Helper()
	c := s.dial(t)
	defer c.Close()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, target, len(body), body)
	return c.hear(method)
}

// Requests that pass unfiltered: what the engine says is what the client hears.
const (
	logs   = "/containers/web/logs?stdout=1"
	start  = "/containers/web/start"
	asked  = "GET /v1.51/containers/" + sixtyFour + "/logs?stdout=1 "
	others = "502 " + `{"message":"sockguard: the engine cannot be asked right now`

	sixtyFour = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)
