package proxy

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"strconv"
)

// uploadBuffer is the kernel's own size for a socket. Asked for, it is taken
// twice, and an engine reads as much at once: fewer turns for everybody.
const uploadBuffer = 208 << 10

// stream sends the head and a body that comes as it is made, and puts the error
// into done. When the body fails, the connection is closed: the engine sees a
// broken body, never a shorter whole one. When the connection fails, it is left
// to the reader: the engine may have answered and stopped reading.
func (c *engineConn) stream(r *http.Request, done chan<- error) {
	defer r.Body.Close()
	if u, ok := c.Conn.(*net.UnixConn); ok {
		u.SetWriteBuffer(uploadBuffer) // TCP knows better by itself
	}
	w := &bodyWriter{c: c.quick, chunked: r.ContentLength <= 0, left: r.ContentLength}
	err := w.send(c.head, r.Body)
	done <- err // before the reader sees a closed connection
	if err != nil && w.err == nil {
		c.Close()
	}
}

// A bodyWriter writes a body, in HTTP chunks if its length is not known; a
// chunk is one system call and no copy.
type bodyWriter struct {
	c       *quickConn
	chunked bool
	left    int64 // of a declared length; -1 after too much
	size    [20]byte
	err     error // of the connection
}

func (w *bodyWriter) send(head []byte, body io.Reader) error {
	if _, w.err = w.c.Write(head); w.err != nil {
		return w.err
	}
	buf := aheadBuffers.Get().(*[]byte)
	defer aheadBuffers.Put(buf)
	_, err := io.CopyBuffer(w, body, *buf)
	switch {
	case w.err != nil || err != nil:
		return cmp.Or(w.err, err)
	case w.chunked:
		_, w.err = io.WriteString(w.c, "0\r\n\r\n")
		return w.err
	case w.left != 0:
		return errLength
	}
	return nil
}

func (w *bodyWriter) Write(p []byte) (n int, err error) {
	switch {
	case w.err != nil || len(p) == 0:
		return 0, w.err
	case w.chunked:
		size := append(strconv.AppendInt(w.size[:0], int64(len(p)), 16), "\r\n"...)
		if w.err = w.c.writeParts(parts{size, p, crlf}); w.err == nil {
			n = len(p)
		}
	case int64(len(p)) > w.left:
		w.left = -1 // the rest would be read as the next request
		return 0, errLength
	default:
		n, w.err = w.c.Write(p)
		w.left -= int64(n)
	}
	return n, w.err
}
