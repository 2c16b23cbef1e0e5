package proxy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sockguard/policy/verdict"
)

// BenchmarkPlainExchange is what sockguard does for one plain request without
// most of the system calls: client and engine are memory, only the look at the
// idle connection is real. The log is written to nothing.
func BenchmarkPlainExchange(b *testing.B) {
	id := strings.Repeat("a", 64)
	object := `{"Id":"` + id + `","Name":"/web","Config":{"Env":["` + strings.Repeat(`A=b","`, 300) + `"],"Labels":{"com.buildkite.sockguard.owner":"team-a"}}}`
	for _, bb := range []struct{ name, path, body string }{
		{"ping", "/_ping", "OK"},
		{"list", "/v1.41/containers/json", "[" + object + "]"},
		{"inspect by ID", "/v1.41/containers/" + id + "/json", object},
		{"inspect by name", "/v1.41/containers/web/json", object},
	} {
		b.Run(bb.name, func(b *testing.B) {
			engine := &memoryEngine{Conn: idleSocket(b), body: bb.body}
			transport := &Transport{dial: func(context.Context) (net.Conn, error) { return engine, nil }}
			g := &Guard{Policy: &verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey}, engine: newEngine(transport)}
			g.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
			g.interceptor = g.newInterceptor(transport)
			g.engine.current.Store(&engineInfo{api: verdict.Version{Major: 1, Minor: 51}, asked: time.Now().Add(time.Hour)})
			client := &memoryClient{left: b.N, request: "GET " + bb.path + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n\r\n"}
			l := &lanes{handler: g, life: b.Context(), log: g.Log, open: map[*lane]struct{}{}, closed: make(chan struct{})}
			n := newLane(l, client)
			l.enter(n)
			b.ReportAllocs()
			b.ResetTimer()
			n.serve()
			b.StopTimer()
			if want := int64(len(bb.body)) * int64(b.N); client.got < want {
				b.Fatalf("%d bytes of answers, want %d at least", client.got, want)
			}
		})
	}
}

// A memoryClient sends the same request again and again.
type memoryClient struct {
	net.Conn
	request string
	left    int
	got     int64
}

func (c *memoryClient) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	c.left--
	return copy(p, c.request), nil
}

func (c *memoryClient) Write(p []byte) (int, error) {
	c.got += int64(len(p))
	return len(p), nil
}

func (*memoryClient) SetReadDeadline(time.Time) error { return nil }
func (*memoryClient) Close() error                    { return nil }

// idleSocket returns a connection on which nothing is ever said.
func idleSocket(b *testing.B) *net.UnixConn {
	ln, err := net.Listen("unix", filepath.Join(b.TempDir(), "idle"))
	if err != nil {
		b.Fatal(err)
	}
	c, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close(); ln.Close() })
	return c.(*net.UnixConn)
}

// A memoryEngine gives every request the same answer.
type memoryEngine struct {
	net.Conn // an idle socket
	body     string
	left     string // of the answer to the last request
}

func (e *memoryEngine) Write(p []byte) (int, error) {
	e.left = fmt.Sprintf("HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Type: application/json\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nServer: Docker/28.5.2 (linux)\r\nContent-Length: %d\r\n\r\n%s", len(e.body), e.body)
	return len(p), nil
}

func (e *memoryEngine) Read(p []byte) (int, error) {
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

// NetConn returns the idle socket, for the look at it.
func (e *memoryEngine) NetConn() net.Conn { return e.Conn }

func (*memoryEngine) Close() error { return nil }
