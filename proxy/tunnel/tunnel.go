// Package tunnel carries connections that leave HTTP: attach, exec and their like.
//
// [Open] sends a checked request to the engine. Once the engine has switched
// protocols, [Tunnel.Hijack] takes the client's connection from its HTTP server and
// [Tunnel.Join] joins the two: each direction ends by itself, and an idle tunnel
// holds no buffer. Any other answer of the engine is an ordinary response, which the
// caller passes on.
package tunnel

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"mime"
	"net"
	"net/http"
)

// maxHead is the ceiling of the head of the engine's answer.
const maxHead = 1 << 20

// A Tunnel is an engine's connection that has switched protocols, and the client's
// once it is hijacked.
type Tunnel struct {
	engine, client net.Conn
	head           []byte // of the answer, and what came with it
	early          []byte // what the client sent after its request
	status         int
	stop           func() bool // stops waiting for the end of the request's context
}

// Open sends out over a connection of its own. It returns a tunnel if the engine
// switches protocols (101) or starts a raw stream (200 of a raw media type without
// a framing), the engine's answer if it does neither.
//
// The end of out's context ends the exchange until [Tunnel.Hijack] is called. The
// connection closes with the tunnel, or with the body of the answer.
func Open(out *http.Request, dial func(context.Context) (net.Conn, error)) (*Tunnel, *http.Response, error) {
	ctx := out.Context()
	engine, err := dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { engine.Close() })
	resp, br, err := ask(engine, out)
	if err != nil {
		stop()
		engine.Close()
		return nil, nil, fmt.Errorf("ask the engine to switch protocols: %w", err)
	}
	if !isRaw(resp) {
		resp.Body = &answer{resp.Body, engine, stop}
		return nil, resp, nil
	}
	head, err := rawHead(resp, br)
	if err != nil {
		stop()
		engine.Close()
		return nil, nil, err
	}
	return &Tunnel{engine: engine, head: head, status: resp.StatusCode, stop: stop}, nil, nil
}

// Status returns the status of the engine's answer.
func (t *Tunnel) Status() int { return t.status }

// Hijack takes the client's connection from its server. After an error nothing was
// sent to the client, and the tunnel is closed.
func (t *Tunnel) Hijack(w http.ResponseWriter) (err error) {
	t.stop()
	if t.client, t.early, err = hijack(w); err != nil {
		t.engine.Close()
		return fmt.Errorf("take over the client's connection: %w", err)
	}
	return nil
}

// Join passes the engine's head on and copies between the client and the engine
// until both have ended, or life has. It closes both connections. An error is a panic.
func (t *Tunnel) Join(life context.Context) error {
	defer context.AfterFunc(life, func() { t.client.Close(); t.engine.Close() })()
	head, early := t.head, t.early
	t.head, t.early = nil, nil
	return join(t.client, t.engine, head, early)
}

// ask sends out and reads the head of the answer. The answer's body and whatever
// follows it are still in the reader.
func ask(engine net.Conn, out *http.Request) (*http.Response, *bufio.Reader, error) {
	if err := out.Write(engine); err != nil {
		return nil, nil, err
	}
	limit := &io.LimitedReader{R: engine, N: maxHead}
	br := bufio.NewReader(limit)
	for {
		resp, err := http.ReadResponse(br, out)
		switch {
		case err != nil && limit.N == 0:
			return nil, nil, fmt.Errorf("the head of the engine's answer is larger than %d bytes", maxHead)
		case err != nil:
			return nil, nil, err
		case resp.StatusCode >= 200, resp.StatusCode == http.StatusSwitchingProtocols:
			limit.N = math.MaxInt64
			return resp, br, nil
		}
	}
}

// isRaw reports whether a raw stream follows the head of resp. Without an Upgrade, a
// raw stream is known by its media type and by having neither a length nor chunks,
// which no ordinary answer of an engine lacks.
func isRaw(resp *http.Response) bool {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return true
	}
	if resp.StatusCode != http.StatusOK || resp.ContentLength != -1 || len(resp.TransferEncoding) > 0 {
		return false
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return media == "application/vnd.docker.raw-stream" || media == "application/vnd.docker.multiplexed-stream"
}

// rawHead returns the head of resp as the engine wrote it, with its reason phrase, and
// the bytes of the stream that were read with it.
func rawHead(resp *http.Response, br *bufio.Reader) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\r\n", resp.Proto, resp.Status)
	resp.Header.Write(&b)
	b.WriteString("\r\n")
	_, err := io.CopyN(&b, br, int64(br.Buffered()))
	return b.Bytes(), err
}

// hijack takes the connection from the server, with the bytes that the client
// sent after its request.
func hijack(w http.ResponseWriter) (net.Conn, []byte, error) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early := make([]byte, rw.Reader.Buffered())
	if _, err := io.ReadFull(rw.Reader, early); err != nil {
		c.Close()
		return nil, nil, err
	}
	if a, ok := c.(interface{ Unread() []byte }); ok {
		early = append(early, a.Unread()...)
	}
	return c, early, nil
}

// An answer is the body of an ordinary answer. It closes the connection.
type answer struct {
	io.ReadCloser
	engine net.Conn
	stop   func() bool
}

// Close ends the exchange.
func (a *answer) Close() error {
	a.stop()
	return a.engine.Close()
}
