package tunnel

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/proxy/internal/testnet"
)

const (
	upgradeHead = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nUpgrade: tcp\r\n\r\n"
	rawHead200  = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
	execBody    = `{"Detach":false}`
)

// serveTunnels serves tunnels on n.Proxy and reports how each ends. An ordinary
// answer of the engine is passed on with its status and body alone.
func serveTunnels(t *testing.T, n testnet.Net) <-chan error {
	ended := make(chan error, 10)
	life, end := context.WithCancel(t.Context())
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ended <- serveTunnel(life, w, r, n)
	})}
	go srv.Serve(n.Proxy)
	t.Cleanup(func() { end(); srv.Close() })
	return ended
}

func serveTunnel(life context.Context, w http.ResponseWriter, r *http.Request, n testnet.Net) error {
	out := r.Clone(life)
	body, _ := io.ReadAll(r.Body)
	out.Body = io.NopCloser(strings.NewReader(string(body)))
	tunnel, resp, err := Open(out, n.DialEngine)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadGateway)
		return err
	case tunnel != nil:
		if err := tunnel.Hijack(w); err != nil {
			return err
		}
		tunnel.Join(life)
		return nil
	}
	defer resp.Body.Close()
	w.Header().Set("Connection", "close")
	w.WriteHeader(resp.StatusCode)
	_, err = io.Copy(w, resp.Body)
	return err
}

func wait(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("the tunnel does not end")
		return nil
	}
}

func execStart(upgrade bool) string {
	h := ""
	if upgrade {
		h = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
	}
	return fmt.Sprintf("POST /exec/1/start HTTP/1.1\r\nHost: d\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", h, len(execBody), execBody)
}

// acceptRequest takes the proxy's connection and reads the request, to its end
// and not a byte further.
func acceptRequest(t *testing.T, l net.Listener) (net.Conn, *http.Request) {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	br := bufio.NewReader(c)
	r, err := http.ReadRequest(br)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(r.Body); err != nil || string(body) != execBody {
		t.Fatalf("engine got body %q, %v", body, err)
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if early, err := br.Peek(1); err == nil {
		t.Fatalf("engine got %q before it switched protocols", early)
	}
	c.SetReadDeadline(time.Time{})
	return c, r
}

func readResponse(t *testing.T, c net.Conn) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// switchProtocols brings c as far as a joined stream and returns its engine end.
func switchProtocols(t *testing.T, n testnet.Net, c net.Conn) net.Conn {
	t.Helper()
	io.WriteString(c, execStart(true))
	engine, _ := acceptRequest(t, n.Engine)
	io.WriteString(engine, upgradeHead)
	expect(t, "client", c, upgradeHead)
	return engine
}

// expect reads exactly want from c.
func expect(t *testing.T, who string, c net.Conn, want string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	defer c.SetReadDeadline(time.Time{})
	got := make([]byte, len(want))
	n, err := io.ReadFull(c, got)
	if diff := cmp.Diff(want, string(got[:n])); diff != "" {
		t.Fatalf("%s reads (-want +got):\n%s%v", who, diff, err)
	}
}

// expectEnd reads want and then the end of c's stream.
func expectEnd(t *testing.T, who string, c net.Conn, want string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	defer c.SetReadDeadline(time.Time{})
	got, err := io.ReadAll(c)
	if err != nil || string(got) != want {
		t.Fatalf("%s reads %q and ends with %v, want %q", who, got, err, want)
	}
}
