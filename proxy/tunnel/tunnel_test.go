package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sockguard/proxy/internal/testnet"
)

// TestTunnel runs every kind of stream to every kind of end.
func TestTunnel(t *testing.T) {
	ends := map[string]func(t *testing.T, client, engine net.Conn){
		"client half-closes first": func(t *testing.T, client, engine net.Conn) {
			io.WriteString(client, "in")
			closeWrite(client)
			expectEnd(t, "engine", engine, "in")
			io.WriteString(engine, "out")
			engine.Close()
			expectEnd(t, "client", client, "out")
		},
		"engine half-closes first": func(t *testing.T, client, engine net.Conn) {
			io.WriteString(engine, "out")
			closeWrite(engine)
			expectEnd(t, "client", client, "out")
			io.WriteString(client, "in")
			closeWrite(client)
			expectEnd(t, "engine", engine, "in")
		},
		"engine is gone": func(t *testing.T, client, engine net.Conn) {
			io.WriteString(engine, "out")
			engine.Close()
			expectEnd(t, "client", client, "out")
			client.Close()
		},
		"client is gone": func(t *testing.T, client, engine net.Conn) {
			client.Close()
			expectEnd(t, "engine", engine, "")
			var err error
			for end := time.Now().Add(5 * time.Second); err == nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
				_, err = io.WriteString(engine, "out")
			}
			if err == nil {
				t.Error("the engine still talks to nobody")
			}
		},
	}
	for network, newNet := range testnet.All() {
		for _, head := range []string{upgradeHead, rawHead200} {
			for end, run := range ends {
				for _, early := range []string{"", "early"} {
					t.Run(fmt.Sprintf("%s/%s/%s/%s", network, head[9:12], end, early), func(t *testing.T) {
						t.Parallel()
						n := newNet(t)
						ended := serveTunnels(t, n)
						client, err := n.DialProxy()
						if err != nil {
							t.Fatal(err)
						}
						defer client.Close()
						io.WriteString(client, execStart(head == upgradeHead)+early)
						engine, r := acceptRequest(t, n.Engine)
						if got := r.Header.Get("Upgrade") != ""; got != (head == upgradeHead) {
							t.Errorf("engine got Upgrade: %v", got)
						}
						io.WriteString(engine, head+"welcome")
						expect(t, "client", client, head+"welcome")
						expect(t, "engine", engine, early)
						run(t, client, engine)
						if err := wait(t, ended); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
	}
}

// TestTunnelOtherAnswers: whatever is no stream is an ordinary response, and
// early bytes are neither the engine's standard input nor a request.
func TestTunnelOtherAnswers(t *testing.T) {
	tests := []struct {
		name, answer string
		status       int
		body         string
	}{
		{"json", "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"message\":\"x\"}", 409, `{"message":"x"}`},
		{"attach's text until close", "HTTP/1.1 404 Not Found\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nNo such container", 404, "No such container"},
		{"chunked logs", "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, "hi"},
		{"raw type with a length", "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
		{"informational first", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"},
	}
	for network, newNet := range testnet.All() {
		for _, tt := range tests {
			for _, early := range []string{"", "GET /early HTTP/1.1\r\nHost: d\r\n\r\n"} {
				t.Run(fmt.Sprintf("%s/%s/%.3s", network, tt.name, early), func(t *testing.T) {
					t.Parallel()
					n := newNet(t)
					ended := serveTunnels(t, n)
					client, err := n.DialProxy()
					if err != nil {
						t.Fatal(err)
					}
					defer client.Close()
					io.WriteString(client, execStart(true)+early)
					engine, _ := acceptRequest(t, n.Engine)
					io.WriteString(engine, tt.answer)
					closeWrite(engine)
					resp := readResponse(t, client)
					body, err := io.ReadAll(resp.Body)
					if err != nil || resp.StatusCode != tt.status || string(body) != tt.body {
						t.Errorf("got %d %q, %v, want %d %q", resp.StatusCode, body, err, tt.status, tt.body)
					}
					if !resp.Close {
						t.Error("the client's connection stays open behind the answer")
					}
					if err := wait(t, ended); err != nil {
						t.Error(err)
					}
					select {
					case <-ended:
						t.Error("early bytes became a request")
					case <-time.After(50 * time.Millisecond):
					}
				})
			}
		}
	}
}

// TestTunnelCutAnswer: the body of an ordinary answer that is cut ends with an
// error.
func TestTunnelCutAnswer(t *testing.T) {
	n := testnet.Unix(t)
	ended := serveTunnels(t, n)
	client, err := n.DialProxy()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	io.WriteString(client, execStart(true))
	engine, _ := acceptRequest(t, n.Engine)
	io.WriteString(engine, "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
	engine.Close()
	if err := wait(t, ended); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("body ends with %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

// TestTunnelNoAnswer: before the client's connection is taken over, every
// failure is an error to answer with.
func TestTunnelNoAnswer(t *testing.T) {
	tests := []struct {
		name, answer string
	}{
		{"engine hangs up", ""},
		{"no HTTP", "\x15\x03\x01\x00\x02\x02\x22"},
		{"head is cut", "HTTP/1.1 101 UPGRADED\r\nConnec"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := testnet.Unix(t)
			ended := serveTunnels(t, n)
			client, err := n.DialProxy()
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			io.WriteString(client, execStart(true))
			engine, _ := acceptRequest(t, n.Engine)
			io.WriteString(engine, tt.answer)
			engine.Close()
			if got := readResponse(t, client).StatusCode; got != http.StatusBadGateway {
				t.Errorf("got %d, want %d", got, http.StatusBadGateway)
			}
			if err := wait(t, ended); err == nil {
				t.Error("no error")
			}
		})
	}
}

// TestTunnelDialError: the error of dial is the error of Open.
func TestTunnelDialError(t *testing.T) {
	want := errors.New("engine is away")
	r, err := http.NewRequest("POST", "http://engine/exec/1/start", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Open(r, func(context.Context) (net.Conn, error) { return nil, want })
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// TestTunnelEndOfInputBeforeTheAnswer: a client that closes its writing side
// with its request still gets the stream: it has nothing for standard input.
func TestTunnelEndOfInputBeforeTheAnswer(t *testing.T) {
	n := testnet.Unix(t)
	ended := serveTunnels(t, n)
	client, err := n.DialProxy()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	io.WriteString(client, execStart(true))
	closeWrite(client)
	engine, _ := acceptRequest(t, n.Engine)
	io.WriteString(engine, upgradeHead)
	expectEnd(t, "engine", engine, "")
	io.WriteString(engine, "out")
	engine.Close()
	expectEnd(t, "client", client, upgradeHead+"out")
	if err := wait(t, ended); err != nil {
		t.Error(err)
	}
}

// TestTunnelShutdown: the end of its life ends a tunnel, also one whose client has
// closed its writing side long before.
func TestTunnelShutdown(t *testing.T) {
	for _, halfClosed := range []bool{false, true} {
		t.Run(fmt.Sprint(halfClosed), func(t *testing.T) {
			n := testnet.Unix(t)
			life, shutdown := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ended <- serveTunnel(life, w, r, n)
			})}
			go srv.Serve(n.Proxy)
			defer srv.Close()
			client, err := n.DialProxy()
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			io.WriteString(client, execStart(true))
			if halfClosed {
				closeWrite(client)
			}
			engine, _ := acceptRequest(t, n.Engine)
			io.WriteString(engine, upgradeHead)
			expect(t, "client", client, upgradeHead)
			shutdown()
			expectEnd(t, "client", client, "")
			expectEnd(t, "engine", engine, "")
			wait(t, ended)
		})
	}
}

// TestOpenEndsWithItsContext: a client that leaves does not wait for a hanging
// engine.
func TestOpenEndsWithItsContext(t *testing.T) {
	n := testnet.Unix(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", "http://engine/exec/1/start", strings.NewReader(execBody))
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		engine, _ := acceptRequest(t, n.Engine)
		cancel()
		expectEnd(t, "engine", engine, "")
	}()
	defer func() { <-told }()
	if _, _, err := Open(r, n.DialEngine); err == nil {
		t.Error("no error")
	}
}

// TestTunnelTLS: a stream to an engine over TLS ends in each direction by itself.
func TestTunnelTLS(t *testing.T) {
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: srv.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := testnet.Unix(t)
	n.Engine, n.DialEngine = l, func(ctx context.Context) (net.Conn, error) {
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		return d.DialContext(ctx, "tcp", l.Addr().String())
	}
	ended := serveTunnels(t, n)
	client, err := n.DialProxy()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	engine := switchProtocols(t, n, client)
	io.WriteString(client, "in")
	closeWrite(client)
	expectEnd(t, "engine", engine, "in")
	io.WriteString(engine, "out")
	engine.Close()
	expectEnd(t, "client", client, "out")
	if err := wait(t, ended); err != nil {
		t.Error(err)
	}
}
