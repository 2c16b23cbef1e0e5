package proxy

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
)

// answerGrace is how long an engine may take to answer an upgrade whose client
// has closed its writing side: a client that left and one that has nothing to
// say to standard input look the same until there is an answer to send.
const answerGrace = 10 * time.Second

// lifetimeKey is the context key of the context that outlives requests.
type lifetimeKey struct{}

// withLifetime returns ctx for use as http.Server.BaseContext. Tunnels live
// until it is done; a request's own context ends as soon as its client closes
// its writing side, which is how attach sends the end of standard input.
func withLifetime(ctx context.Context) context.Context {
	return context.WithValue(ctx, lifetimeKey{}, ctx)
}

func lifetime(ctx context.Context) context.Context {
	if life, ok := ctx.Value(lifetimeKey{}).(context.Context); ok {
		return life
	}
	return ctx
}

// tunnel sends out, a checked request, over a connection of its own and joins
// it with the client's once the engine has switched protocols (101) or started
// a raw stream on a hijack route (200 of a raw media type without a framing).
// Any other answer is passed on as an ordinary response, which ends the
// client's connection: bytes that it sent early must not become a request.
//
// An error means that nothing was sent to the client yet. A response that is
// cut short is aborted with [http.ErrAbortHandler].
func tunnel(w http.ResponseWriter, out *http.Request, dial func(context.Context) (net.Conn, error)) error {
	life := lifetime(out.Context())
	engine, err := dial(life)
	if err != nil {
		return err
	}
	defer engine.Close()
	defer context.AfterFunc(life, func() { engine.Close() })()

	release := hurry(out.Context(), engine)
	resp, br, err := ask(engine, out)
	if err != nil {
		return fmt.Errorf("ask the engine to switch protocols: %w", err)
	}
	if !isRaw(resp) {
		passOn(w, resp)
		return nil
	}
	head, err := rawHead(resp, br)
	if err != nil {
		return err
	}
	release()
	client, early, err := hijack(w)
	if err != nil {
		return fmt.Errorf("take over the client's connection: %w", err)
	}
	defer client.Close()
	defer context.AfterFunc(life, func() { client.Close() })()
	join(client, engine, head, early)
	return nil
}

// hurry gives the engine answerGrace from the end of ctx on, until release.
func hurry(ctx context.Context, engine net.Conn) (release func()) {
	hurried := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		engine.SetDeadline(time.Now().Add(answerGrace))
		close(hurried)
	})
	return func() {
		if !stop() {
			<-hurried
			engine.SetDeadline(time.Time{})
		}
	}
}

// ask sends out and reads the head of the answer; the answer's body and
// whatever follows it are still in the reader.
func ask(engine net.Conn, out *http.Request) (*http.Response, *bufio.Reader, error) {
	if err := out.Write(engine); err != nil {
		return nil, nil, err
	}
	br := bufio.NewReader(engine)
	for {
		resp, err := http.ReadResponse(br, out)
		if err != nil {
			return nil, nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, br, nil
		}
	}
}

// isRaw reports whether the engine has left HTTP after the head of resp. A raw
// stream without an Upgrade is told from an ordinary body by its lack of a
// length and of chunks: the engine's HTTP server never answers HTTP/1.1 so.
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

// rawHead returns the head of resp as the engine wrote it, reason phrase
// included, and the stream's bytes that have come with it.
func rawHead(resp *http.Response, br *bufio.Reader) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\r\n", resp.Proto, resp.Status)
	resp.Header.Write(&b)
	b.WriteString("\r\n")
	_, err := io.CopyN(&b, br, int64(br.Buffered()))
	return b.Bytes(), err
}

// hijack takes the connection from the server, with the bytes that the client
// sent behind its request.
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
	if a, ok := c.(*aheadConn); ok {
		conn, rest := a.unwrap()
		return conn, append(early, rest...), nil
	}
	return c, early, nil
}

// passOn answers with an ordinary response of the engine.
func passOn(w http.ResponseWriter, resp *http.Response) {
	defer resp.Body.Close()
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	for _, k := range []string{"Upgrade", "Keep-Alive", "Transfer-Encoding"} {
		w.Header().Del(k)
	}
	w.Header().Set("Connection", "close")
	f := newFlushWriter(w)
	f.WriteHeader(resp.StatusCode)
	if _, err := f.ReadFrom(resp.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}
