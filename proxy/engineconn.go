package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	// receiveBuffer takes the head of an answer, and most answers about one
	// object; more of a body is read past it.
	receiveBuffer = 16 << 10

	// inlineBody is the largest body that is sent along with the head.
	inlineBody = 16 << 10

	// maxHead is the ceiling of the heads before the body of an answer, the
	// ceiling of net/http's server for requests.
	maxHead = 1 << 20
)

var (
	errLongHead = fmt.Errorf("the head of the engine's answer is larger than %d bytes", maxHead)
	errLength   = errors.New("the body of the request is not as long as declared")
)

// An engineConn is a connection to an engine, for one exchange at a time.
type engineConn struct {
	net.Conn
	quick  *quickConn // Conn
	r      *bufio.Reader
	left   int64     // bytes that may be read
	head   []byte    // of the request; kept for its memory
	used   bool      // an exchange ended well on it
	silent bool      // the engine ended it without a byte of an answer
	since  time.Time // idle since
	look   *idleLook
}

func newEngineConn(conn net.Conn) *engineConn {
	c := &engineConn{Conn: conn, quick: newQuickConn(conn), look: newIdleLook(conn)}
	c.r = bufio.NewReaderSize(c, receiveBuffer)
	return c
}

// Read fails when more than c.left is read.
func (c *engineConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, errLongHead
	}
	n, err := c.quick.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// send sends a request: with the first read of its answer when that is all there
// is to do before, otherwise on the side, where its body may block; sent tells
// how that ended. After an error of either the answer may still be there: an
// engine that refuses stops reading.
func (c *engineConn) send(r *http.Request) (sent <-chan error, err error) {
	if c.head, err = appendHead(c.head[:0], r); err != nil {
		c.Close()
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	switch {
	case !hasBody(r):
		c.quick.askFirst(c.head)
		return nil, nil
	case r.GetBody != nil && r.ContentLength > 0 && r.ContentLength <= inlineBody:
		return nil, c.sendInline(r)
	}
	done := make(chan error, 1)
	go c.stream(r, done)
	return done, nil
}

func hasBody(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// sendInline sends the head and a short body in one piece.
func (c *engineConn) sendInline(r *http.Request) error {
	defer r.Body.Close()
	head, length := len(c.head), int(r.ContentLength)
	c.head = slices.Grow(c.head, length+1)[:head+length+1]
	if n, err := io.ReadFull(r.Body, c.head[head:]); n != length || err != io.ErrUnexpectedEOF {
		c.Close()
		return errLength
	}
	c.quick.askFirst(c.head[:head+length])
	return nil
}

// appendHead appends the head of a request. What could end a line early, or be
// read as two, is refused once more here, where it would.
func appendHead(b []byte, r *http.Request) ([]byte, error) {
	target := r.URL.RequestURI()
	if !httpguts.ValidHeaderFieldName(r.Method) || !isWord(target) || !isWord(r.URL.Host) {
		return b, errors.New("the method, the target or the host of the request is not one word")
	}
	b = append(append(b, r.Method...), ' ')
	b = append(append(b, target...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, r.URL.Host...), "\r\n"...)
	for name, values := range r.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue // told by the rest of the request
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(v) {
				return b, fmt.Errorf("header %q is not a name or has a value that is not one line", name)
			}
			b = append(append(b, name...), ": "...)
			b = append(append(b, v...), "\r\n"...)
		}
	}
	switch {
	case !hasBody(r):
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			b = append(b, "Content-Length: 0\r\n"...)
		}
	case r.ContentLength > 0:
		b = strconv.AppendInt(append(b, "Content-Length: "...), r.ContentLength, 10)
		b = append(b, "\r\n"...)
	default: // net/http's 0 of a body is not known either
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	return append(b, "\r\n"...), nil
}

func isWord(s string) bool {
	return httpguts.ValidHeaderFieldValue(s) && !strings.ContainsAny(s, " \t")
}

// receive reads the head of the answer to r.
func (c *engineConn) receive(r *http.Request) (*http.Response, error) {
	c.left = maxHead
	if _, err := c.r.Peek(1); err != nil {
		c.silent = !errors.Is(err, net.ErrClosed) // by this side
		return nil, fmt.Errorf("the engine closed the connection without an answer: %w", noEOF(err))
	}
	if resp := plainAnswer(c.r, r); resp != nil {
		c.left = math.MaxInt64
		return resp, nil
	}
	for {
		resp, err := http.ReadResponse(c.r, r)
		switch {
		case err != nil && c.left == 0:
			return nil, errLongHead // whatever the line that it cut looks like
		case err != nil:
			return nil, fmt.Errorf("read the engine's answer: %w", noEOF(err))
		case resp.StatusCode >= 200:
			c.left = math.MaxInt64
			return resp, nil
		case resp.StatusCode < 100:
			return nil, fmt.Errorf("the engine answers with status %q", resp.Status)
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("the engine switched protocols unasked")
		}
	}
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
