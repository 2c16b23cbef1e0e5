package tunnel

import (
	"io"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// bufferSize is how much is copied at once.
const bufferSize = 64 << 10

// copyBuffers holds *[]byte of bufferSize bytes.
var copyBuffers = sync.Pool{New: func() any {
	b := make([]byte, bufferSize)
	return &b
}}

// copyConn copies src to dst until src ends, which is no error, src cannot be read
// (rerr) or dst cannot be written (werr). It calls moved after every piece.
//
// Most tunnels are silent most of the time. io.Copy would hold a buffer, or a pipe for
// splice, while src is silent.
func copyConn(dst, src net.Conn, moved func()) (rerr, werr error) {
	r := newIdleReader(src)
	for {
		buf, n, err := r.read()
		if n > 0 {
			_, werr = dst.Write((*buf)[:n])
		}
		if buf != nil {
			copyBuffers.Put(buf)
		}
		switch {
		case werr != nil:
			return nil, werr
		case err == io.EOF:
			return nil, nil
		case err != nil:
			return err, nil
		}
		moved()
	}
}

// An idleReader reads into pooled buffers. It holds none while it waits for a socket to
// become readable.
type idleReader struct {
	conn net.Conn
	raw  syscall.RawConn // nil when conn is not a socket itself (TLS, netstack)
	try  func(fd uintptr) bool

	// The result of tryRead.
	buf *[]byte
	n   int
	err error
}

func newIdleReader(conn net.Conn) *idleReader {
	r := &idleReader{conn: conn}
	if sc, ok := conn.(syscall.Conn); ok {
		r.raw, _ = sc.SyscallConn()
	}
	r.try = r.tryRead
	return r
}

// read returns a buffer of copyBuffers, which the caller puts back, and how many bytes
// of it are filled. The buffer is nil when nothing was read.
func (r *idleReader) read() (*[]byte, int, error) {
	if r.raw == nil {
		buf := copyBuffers.Get().(*[]byte)
		n, err := r.conn.Read(*buf)
		return buf, n, err
	}
	r.buf, r.n, r.err = nil, 0, nil
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err
	}
	if r.n == 0 && r.err == nil {
		r.err = io.EOF
	}
	return r.buf, r.n, r.err
}

// tryRead reads without waiting. It returns false when there is nothing to read yet.
func (r *idleReader) tryRead(fd uintptr) bool {
	buf := copyBuffers.Get().(*[]byte)
	n, err := unix.Read(int(fd), *buf)
	for err == unix.EINTR {
		n, err = unix.Read(int(fd), *buf)
	}
	if err == unix.EAGAIN {
		copyBuffers.Put(buf)
		return false
	}
	r.buf, r.n, r.err = buf, max(n, 0), err
	return true
}
