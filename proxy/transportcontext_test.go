package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestTransportContext: the end of a request's context ends its exchange at any
// stage, and closes its connection.
func TestTransportContext(t *testing.T) {
	tests := []struct {
		name   string
		engine func(*line, func())
		body   io.Reader
		before bool
	}{
		{name: "before", engine: func(l *line, _ func()) { l.gone() }, before: true},
		{name: "while the body blocks", engine: func(l *line, cancel func()) { l.r.Peek(1); cancel(); l.gone() }, body: endless{}},
		{name: "while the answer is waited for", engine: func(l *line, cancel func()) { l.hear(); cancel(); l.gone() }},
		{name: "in the head of the answer", engine: func(l *line, cancel func()) { l.hear(); l.say("HTTP/1.1 200"); cancel(); l.gone() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			e := spoken(t, func(l *line) { tt.engine(l, cancel) })
			if tt.before {
				cancel()
			}
			body := newSource(tt.body)
			r := newAsk(t, "GET", "/", nil, 0).WithContext(ctx)
			if tt.body != nil || tt.before {
				r.Body, r.ContentLength = body, -1
			}
			if got, err := e.ask(r); !errors.Is(err, context.Canceled) {
				t.Errorf("got %q, %v", got, err)
			}
			if r.Body != nil {
				body.waitClosed(t)
			}
			if tt.before && e.dials.Load() != 0 {
				t.Error("dialled for nobody")
			}
		})
	}
	t.Run("in the body of the answer", func(t *testing.T) {
		e := spoken(t, func(l *line) {
			l.hear()
			l.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun")
			l.gone()
		})
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := e.RoundTrip(newAsk(t, "GET", "/", nil, 0).WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(resp.Body, make([]byte, 5))
		cancel()
		if _, err := resp.Body.Read(make([]byte, 5)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("while it is dialled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		dialled := &Transport{dial: func(ctx context.Context) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		body := newSource(strings.NewReader("x"))
		r := newAsk(t, "POST", "/", body, 1).WithContext(ctx)
		if _, err := dialled.RoundTrip(r); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		body.waitClosed(t)
	})
	t.Run("when an idle connection is there", func(t *testing.T) {
		e := spoken(t, answering)
		if _, err := e.ask(newAsk(t, "GET", "/", nil, 0)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.ask(newAsk(t, "POST", "/", nil, 0).WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(e.idle) != 1 {
			t.Error("the idle connection is gone")
		}
	})
}

// TestTransportOldContext: a context that ends after its exchange closes nothing.
func TestTransportOldContext(t *testing.T) {
	e := spoken(t, answering)
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		got, err := e.ask(newAsk(t, "POST", "/", strings.NewReader("body"), 4).WithContext(ctx))
		cancel()
		if err != nil || got != "200 second" {
			t.Fatalf("request %d: got %q, %v", i, got, err)
		}
	}
	if n := e.dials.Load(); n != 1 {
		t.Errorf("dialled %d times", n)
	}
}

// TestTransportBodyEndsOnce: the connection of a body that has ended may belong to
// the next exchange, of which neither a read nor a close of that body may take
// anything.
func TestTransportBodyEndsOnce(t *testing.T) {
	for name, first := range map[string]string{
		"length":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst",
		"chunks":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n",
		"odd head":       "HTTP/1.1 200 OK\r\nX-a: 1\r\nX-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n",
		"odd and length": "HTTP/1.1 200 OK\r\nX-a: 1\r\nX-a: 2\r\nContent-Length: 5\r\n\r\nfirst",
	} {
		t.Run(name, func(t *testing.T) {
			heard, goOn := make(chan struct{}), make(chan struct{})
			e := spoken(t, func(l *line) {
				l.hear()
				l.say(first)
				l.hear()
				close(heard)
				<-goOn
				l.say(second)
				l.gone()
			})
			resp, err := e.RoundTrip(newAsk(t, "GET", "/", nil, 0))
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(resp.Body); string(text) != "first" || err != nil {
				t.Fatalf("got %q, %v", text, err)
			}
			next := make(chan string)
			go func() {
				got, err := e.ask(newAsk(t, "GET", "/", nil, 0))
				next <- fmt.Sprint(got, err)
			}()
			<-heard
			again := make(chan error, 1)
			go func() {
				_, err := resp.Body.Read(make([]byte, 9))
				again <- err
			}()
			select {
			case err := <-again:
				if err != io.EOF {
					t.Errorf("a read after the end: %v", err)
				}
			case <-time.After(5 * time.Second):
				t.Error("a read after the end waits for the next answer")
			}
			resp.Body.Close()
			close(goOn)
			if got := <-next; got != "200 second<nil>" {
				t.Errorf("the next answer is %q", got)
			}
			if n := e.dials.Load(); n != 1 {
				t.Errorf("%d connections, not the same one", n)
			}
		})
	}
}
