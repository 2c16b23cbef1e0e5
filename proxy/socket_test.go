package proxy

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/upstream"
)

// pipes are a listener in memory, whose connections live on the fake clock of a
// synctest bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
	case <-p.closed:
		server.Close()
	}
	return client
}

// piped serves a guard of h on pipes until stop is called.
func piped(t *testing.T, log io.Writer, h http.HandlerFunc) (front *pipes, guard *Guard, stop func()) {
	front = newPipes()
	back := newPipes()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
			return
		}
		h(w, r)
	})}
	go srv.Serve(back)
	u, err := upstream.New("unix:///nowhere", upstream.TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	guard = NewGuard(&verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey}, u, slog.New(slog.NewTextHandler(log, nil)))
	guard.engine = engine.NewClient(func(context.Context) (net.Conn, error) { return back.dial(), nil })
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- NewSocket(guard).Serve(ctx, front) }()
	return front, guard, func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		guard.engine.Close()
		srv.Close()
	}
}

const ping = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"

// answered returns the body of the next answer, "" if there is none.
func answered(r *bufio.Reader) string {
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(body)
}

// Exchanges take as long as they do. Between them clients have idleTimeout, and
// headerTimeout for a head.
func TestTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		first          string
		exchange, idle time.Duration
		open           bool
	}{
		"nothing":                   {"", 0, idleTimeout + time.Second, false},
		"a part of a head":          {"GET / HT", 0, headerTimeout + time.Second, false},
		"a while between":           {ping, 0, idleTimeout - time.Second, true},
		"too long between":          {ping, 0, idleTimeout + time.Second, false},
		"a long exchange":           {ping, 3 * idleTimeout, idleTimeout - time.Second, true},
		"too long after a long one": {ping, 3 * idleTimeout, idleTimeout + time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				front, _, stop := piped(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-time.After(tt.exchange):
						io.WriteString(w, "OK")
					case <-r.Context().Done():
					}
				})
				defer stop()
				c := front.dial()
				defer c.Close()
				r := bufio.NewReader(c)
				io.WriteString(c, tt.first)
				if tt.first == ping && answered(r) != "OK" {
					t.Error("no answer")
				}
				time.Sleep(tt.idle)
				go io.WriteString(c, ping)
				if open := answered(r) == "OK"; open != tt.open {
					t.Errorf("open: %v, want %v", open, tt.open)
				}
			})
		})
	}
}

// When the guard stops, idle connections close at once, and running exchanges end
// whole; those that do not end are cut after shutdownGrace.
func TestShutdown(t *testing.T) {
	for name, tt := range map[string]struct {
		exchange time.Duration
		whole    bool
		took     time.Duration
	}{
		"idle":    {0, true, 0},
		"running": {time.Second, true, time.Second},
		"endless": {time.Hour, false, shutdownGrace},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				front, _, stop := piped(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-time.After(tt.exchange):
						io.WriteString(w, "OK")
					case <-r.Context().Done():
					}
				})
				c := front.dial()
				defer c.Close()
				got := make(chan string, 1)
				r := bufio.NewReader(c)
				go func() {
					io.WriteString(c, ping)
					got <- answered(r)
				}()
				synctest.Wait()
				begun := time.Now()
				stopped := make(chan struct{})
				go func() { stop(); close(stopped) }()
				synctest.Wait()
				if whole := <-got == "OK"; whole != tt.whole {
					t.Errorf("answered: %v, want %v", whole, tt.whole)
				}
				go io.WriteString(c, ping)
				if _, err := r.ReadByte(); err == nil {
					t.Error("a request is answered after the end")
				}
				if took := time.Since(begun).Round(time.Second); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				<-stopped
			})
		})
	}
}

// A panic ends its exchange, no other, and is logged.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		front, guard, stop := piped(t, &log, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "OK") })
		interceptor := guard.interceptor
		guard.interceptor = nil
		c := front.dial()
		go io.WriteString(c, ping)
		if got := answered(bufio.NewReader(c)); got != "" {
			t.Errorf("got %q of a panic", got)
		}
		guard.interceptor = interceptor
		c = front.dial()
		go io.WriteString(c, ping)
		if got := answered(bufio.NewReader(c)); got != "OK" {
			t.Errorf("then got %q", got)
		}
		c.Close()
		stop()
		if !strings.Contains(log.String(), "level=ERROR msg=panic") {
			t.Errorf("got the log %s", log.String())
		}
	})
}

// A client that has closed its writing side waits for a hanging engine as long as
// answerGrace, not for ever: a pipe does not tell whether it has left altogether.
func TestAnswerGrace(t *testing.T) {
	for name, head := range map[string]string{
		"request": "GET " + logs + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"attach":  "POST /containers/web/attach?stream=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan time.Time, 1)
				front, _, stop := piped(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/json") {
						io.WriteString(w, ownedBy("team-a", idA))
						return
					}
					<-r.Context().Done()
					ended <- time.Now()
				})
				defer stop()
				c := front.dial()
				io.WriteString(c, head)
				time.Sleep(time.Minute)
				left := time.Now()
				c.Close()
				if got := (<-ended).Sub(left); got != answerGrace {
					t.Errorf("the exchange ends after %v, want %v", got, answerGrace)
				}
			})
		})
	}
}
