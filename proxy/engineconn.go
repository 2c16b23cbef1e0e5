package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// receiveBuffer takes the head of an answer, and most answers about one
	// object; more of a body is read past it.
	receiveBuffer = 16 << 10

	// inlineBody is the largest body that is sent along with the head.
	inlineBody = 16 << 10
)

// An engineConn is a connection to an engine, for one exchange at a time.
type engineConn struct {
	net.Conn
	r      *bufio.Reader
	head   []byte    // of the request; kept for its memory
	used   bool      // an exchange ended well on it
	silent bool      // the engine ended it without a byte of an answer
	since  time.Time // idle since
}

func newEngineConn(c net.Conn) *engineConn {
	return &engineConn{Conn: c, r: bufio.NewReaderSize(c, receiveBuffer)}
}

// streamed reports whether the body of a request may block.
func streamed(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.GetBody == nil
}

// send sends a request. A streamed body is sent on the side; sent tells how it
// ended. After an error the answer may still be there: an engine that refuses
// stops reading.
func (c *engineConn) send(r *http.Request) (sent <-chan error, err error) {
	if c.head, err = appendHead(c.head[:0], r); err != nil {
		c.Close()
	}
	if streamed(r) {
		done := make(chan error, 1)
		go func() { done <- c.stream(r) }()
		return done, err
	}
	if r.Body == nil || r.Body == http.NoBody {
		_, err = c.Write(c.head)
		return nil, err
	}
	defer r.Body.Close()
	if r.ContentLength <= inlineBody {
		n := len(c.head)
		c.head = slices.Grow(c.head, int(r.ContentLength))[:n+int(r.ContentLength)]
		if _, err := io.ReadFull(r.Body, c.head[n:]); err != nil {
			c.Close()
			return nil, err
		}
		_, err = c.Write(c.head)
		return nil, err
	}
	if _, err = c.Write(c.head); err == nil {
		_, err = io.Copy(c.Conn, r.Body)
	}
	return nil, err
}

// appendHead appends the head of a request. What could end a line early is
// refused once more here, where it would.
func appendHead(b []byte, r *http.Request) ([]byte, error) {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.URL.RequestURI()...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.URL.Host...)
	b = append(b, "\r\n"...)
	for name, values := range r.Header {
		for _, v := range values {
			b = append(append(b, name...), ": "...)
			b = append(append(b, v...), "\r\n"...)
			if !oneLine(name) || !oneLine(v) {
				return b, fmt.Errorf("header %q has a value that is not one line", name)
			}
		}
	}
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			b = append(b, "Content-Length: 0\r\n"...)
		}
	case r.ContentLength >= 0:
		b = strconv.AppendInt(append(b, "Content-Length: "...), r.ContentLength, 10)
		b = append(b, "\r\n"...)
	default:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	return append(b, "\r\n"...), nil
}

func oneLine(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7F {
			return false
		}
	}
	return true
}

// stream sends the head and a body that comes as it is made. When the body
// fails, the connection is closed: the engine sees a broken body, never a
// shorter whole one.
func (c *engineConn) stream(r *http.Request) error {
	defer r.Body.Close()
	if _, err := c.Write(c.head); err != nil {
		return err
	}
	w := &bodyWriter{c: c.Conn, chunked: r.ContentLength < 0}
	buf := aheadBuffers.Get().(*[]byte)
	defer aheadBuffers.Put(buf)
	n, err := io.CopyBuffer(w, r.Body, *buf)
	switch {
	case w.err != nil:
		return w.err // the engine stopped reading; it may have answered
	case err == nil && !w.chunked && n != r.ContentLength:
		err = io.ErrUnexpectedEOF
	case err == nil && w.chunked:
		_, err = io.WriteString(c, "0\r\n\r\n")
		return err
	}
	if err != nil {
		c.Close()
	}
	return err
}

// A bodyWriter writes a body, in HTTP chunks if its length is not known; a
// chunk is one system call and no copy.
type bodyWriter struct {
	c       net.Conn
	chunked bool
	size    [20]byte
	parts   [3][]byte
	left    net.Buffers
	err     error
}

func (w *bodyWriter) Write(p []byte) (n int, err error) {
	switch {
	case len(p) == 0:
		return 0, nil
	case w.chunked:
		size := append(strconv.AppendInt(w.size[:0], int64(len(p)), 16), "\r\n"...)
		w.parts = [...][]byte{size, p, size[len(size)-2:]}
		w.left = w.parts[:]
		if _, err = w.left.WriteTo(w.c); err == nil {
			n = len(p)
		}
	default:
		n, err = w.c.Write(p)
	}
	w.err = err
	return n, err
}

// receive reads the head of the answer to r.
func (c *engineConn) receive(r *http.Request) (*http.Response, error) {
	if _, err := c.r.Peek(1); err != nil {
		c.silent = true
		return nil, fmt.Errorf("the engine closed the connection without an answer: %w", noEOF(err))
	}
	for {
		resp, err := http.ReadResponse(c.r, r)
		if err != nil {
			return nil, fmt.Errorf("read the engine's answer: %w", noEOF(err))
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return nil, errors.New("the engine switched protocols unasked")
		}
		if resp.StatusCode >= 200 {
			return resp, nil
		}
	}
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// open reports whether the engine has neither closed an idle connection nor
// said anything on it.
func (c *engineConn) open() bool {
	conn := c.Conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	s, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	idle := false
	err = raw.Control(func(fd uintptr) {
		_, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		idle = errors.Is(err, unix.EAGAIN)
	})
	return err == nil && idle
}
