package upstream

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
)

const (
	// pieceSize is how much of a body is written at once.
	pieceSize = 256 << 10

	// socketBuffer is the send buffer of a unix socket. It is the kernel's own
	// default; the kernel doubles it when asked, and the engine reads as much at
	// once.
	socketBuffer = 208 << 10
)

// upload sends a request with a streamed body over a connection of its own and
// reads the answer meanwhile. The connection is closed at the end of the answer.
//
//   - The engine may answer before it has read the body, and stop reading: its
//     answer is returned whatever happens to the upload.
//   - A body that fails breaks the connection: the engine never takes a part of a
//     body for the whole.
func (t *Transport) upload(r *http.Request) (*http.Response, error) {
	conn, err := t.dial(r.Context())
	if err != nil {
		r.Body.Close()
		return nil, err
	}
	if u, ok := conn.(*net.UnixConn); ok {
		u.SetWriteBuffer(socketBuffer)
	}
	stop := context.AfterFunc(r.Context(), func() { conn.Close() })
	failed := make(chan error, 1)
	go send(conn, r, failed)
	resp, err := receive(conn, r)
	if err != nil {
		stop()
		conn.Close()
		return nil, cmp.Or(r.Context().Err(), bodyError(failed), err)
	}
	resp.Body = &uploadAnswer{ReadCloser: resp.Body, conn: conn, stop: stop}
	return resp, nil
}

// send writes a request and closes its body. If the body fails, send tells why and
// closes the connection. If the connection fails, it is left open: the answer may
// be there to read.
func send(conn net.Conn, r *http.Request, failed chan<- error) {
	defer r.Body.Close()
	fail := func(err error) {
		failed <- err // before the reader sees a closed connection
		conn.Close()
	}
	defer func() {
		if v := recover(); v != nil {
			fail(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	w := &bodyWriter{conn: conn, chunked: r.ContentLength <= 0}
	if _, w.err = conn.Write(requestHead(r, w.chunked)); w.err != nil {
		return
	}
	if err := w.copy(r); err != nil && w.err == nil {
		fail(err)
	}
}

// requestHead returns the head of a request. Names and values that are not one line
// cannot get into it.
func requestHead(r *http.Request, chunked bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), Host)
	r.Header.WriteSubset(&b, map[string]bool{
		"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true,
		"User-Agent": r.UserAgent() == "",
	})
	if chunked {
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	} else {
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", r.ContentLength)
	}
	return b.Bytes()
}

// pieces holds *[]byte of pieceSize bytes.
var pieces = sync.Pool{New: func() any {
	b := make([]byte, pieceSize)
	return &b
}}

// A bodyWriter writes a body to a connection, each piece with one system call and
// without a copy.
type bodyWriter struct {
	conn    net.Conn
	chunked bool
	err     error // of the connection
}

// copy writes the body of r, and its end if it is chunked.
func (w *bodyWriter) copy(r *http.Request) error {
	var src io.Reader = r.Body
	if !w.chunked {
		src = io.LimitReader(r.Body, r.ContentLength)
	}
	n, err := w.copyPieces(src)
	switch {
	case err != nil:
		return err
	case w.chunked:
		_, w.err = io.WriteString(w.conn, "0\r\n\r\n")
		return w.err
	case n < r.ContentLength:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// copyPieces writes what src has. A rewritten body writes pieces of its own.
func (w *bodyWriter) copyPieces(src io.Reader) (int64, error) {
	if body, ok := src.(io.WriterTo); ok {
		return body.WriteTo(w)
	}
	buf := pieces.Get().(*[]byte)
	defer pieces.Put(buf)
	return io.CopyBuffer(w, src, *buf)
}

func (w *bodyWriter) Write(p []byte) (int, error) {
	if w.err != nil || len(p) == 0 {
		return 0, w.err
	}
	piece := net.Buffers{p}
	if w.chunked {
		piece = net.Buffers{fmt.Appendf(nil, "%x\r\n", len(p)), p, []byte("\r\n")}
	}
	if _, w.err = piece.WriteTo(w.conn); w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// receive reads the head of the answer to r.
func receive(conn net.Conn, r *http.Request) (*http.Response, error) {
	limit := &io.LimitedReader{R: conn, N: maxHead}
	br := bufio.NewReader(limit)
	for {
		resp, err := http.ReadResponse(br, r)
		switch {
		case err != nil && limit.N == 0:
			return nil, fmt.Errorf("the head of the engine's answer is larger than %d bytes", maxHead)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("the engine closed the connection without an answer: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return nil, fmt.Errorf("read the engine's answer: %w", err)
		case resp.StatusCode < 100, resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, unexpectedStatus(resp)
		case resp.StatusCode >= 200:
			limit.N = math.MaxInt64
			return resp, nil
		}
	}
}

// bodyError returns why the body failed, nil if it has not.
func bodyError(failed <-chan error) error {
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// An uploadAnswer is the body of an answer, at whose end the connection is closed.
type uploadAnswer struct {
	io.ReadCloser
	conn net.Conn
	stop func() bool // stops waiting for the end of the request's context
}

// Close ends the exchange, and the upload if it still runs. It must not read the
// rest of the answer, as the body itself would.
func (a *uploadAnswer) Close() error {
	a.stop()
	return a.conn.Close()
}
