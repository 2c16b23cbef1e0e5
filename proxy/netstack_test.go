package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/internal/testnet"
	"sockguard/proxy/upstream"
)

// guardNet serves n.Proxy with a guard of the engine of n.
func guardNet(t *testing.T, n testnet.Net) {
	t.Helper()
	u, err := upstream.New("tcp://engine:1", upstream.TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	g := NewGuard(&verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey}, u, slog.New(slog.DiscardHandler))
	g.engine = engine.NewClient(n.DialEngine)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- NewSocket(g).Serve(ctx, n.Proxy) }()
	t.Cleanup(func() { cancel(); <-served })
}

// serveEngine serves h on ln as an engine that also has a version and a container
// of the owner, web.
func serveEngine(t *testing.T, ln net.Listener, h http.HandlerFunc) {
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/containers/web/json") {
			io.WriteString(w, ownedBy("team-a", idA))
			return
		}
		h(w, r)
	})}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
}

// TestNetstackResetMidUpload: an upload that is reset reaches the engine as a
// broken body, never as a shorter whole one.
func TestNetstackResetMidUpload(t *testing.T) {
	for _, framing := range []string{"Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		t.Run(framing, func(t *testing.T) {
			n := testnet.Netstack(t)
			guardNet(t, n.Net)
			started, broken := make(chan struct{}), make(chan error, 1)
			serveEngine(t, n.Engine, func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.ReadFull(r.Body, make([]byte, 5))
				close(started)
				if err == nil {
					_, err = io.Copy(io.Discard, r.Body)
				}
				broken <- err
			})
			c := n.DialResetting(t)
			io.WriteString(c, "PUT /containers/web/archive?path=/ HTTP/1.1\r\nHost: d\r\n"+framing+"\r\n\r\n5\r\nhello\r\n")
			<-started
			c.Close()
			if err := <-broken; err == nil {
				t.Error("the engine saw a whole body")
			}
		})
	}
}

// TestNetstackSilentStream: the head of a stream arrives before its first byte,
// each piece before the next, and silence ends nothing.
func TestNetstackSilentStream(t *testing.T) {
	n := testnet.Netstack(t)
	guardNet(t, n.Net)
	piece := make(chan string)
	serveEngine(t, n.Engine, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.(http.Flusher).Flush()
		for p := range piece {
			io.WriteString(w, p)
			w.(http.Flusher).Flush()
		}
	})
	tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return n.DialProxy() }}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("http://docker/containers/web/logs?follow=1&stdout=1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, p := range []string{"{}", strings.Repeat("x", ioBuffer), "{}"} {
		time.Sleep(50 * time.Millisecond)
		piece <- p
		got := make([]byte, len(p))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != p {
			t.Fatalf("got %d bytes and %v, want %d", len(got), err, len(p))
		}
	}
	close(piece)
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

// TestNetstackCutStream: a response that the engine cuts is cut for the client.
func TestNetstackCutStream(t *testing.T) {
	for _, framing := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
		t.Run(framing, func(t *testing.T) {
			n := testnet.Netstack(t)
			guardNet(t, n.Net)
			serveEngine(t, n.Engine, func(w http.ResponseWriter, _ *http.Request) {
				c, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\n"+framing+"\r\n\r\n5\r\nhello\r\n")
				c.Close()
			})
			c, err := n.DialProxy()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, "GET /containers/web/logs?stdout=1 HTTP/1.1\r\nHost: d\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("body ended with %v, want %v", err, io.ErrUnexpectedEOF)
			}
		})
	}
}
