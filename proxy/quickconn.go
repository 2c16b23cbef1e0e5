package proxy

import (
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A quickConn reads and writes with as few and as cheap system calls as it can.
// Go's sockets never block in the kernel, so the calls are not announced to the
// scheduler as calls that may: that alone is a tenth of a short exchange.
// What is not a socket itself (TLS, netstack) is read and written as ever.
// One goroutine may read while another writes.
type quickConn struct {
	net.Conn
	raw syscall.RawConn // nil when there is no socket

	ask    []byte // is written before the next read
	askErr error  // of writing it

	in       []byte
	got      int
	readErr  error
	tryIn    func(fd uintptr) bool
	out      parts
	iovecs   [len(parts{})]unix.Iovec
	writeErr error
	tryOut   func(fd uintptr) bool
}

// parts are written one after the other; some may be empty.
type parts [3][]byte

func newQuickConn(conn net.Conn) *quickConn {
	q := &quickConn{Conn: conn}
	if s, ok := conn.(syscall.Conn); ok {
		q.raw, _ = s.SyscallConn()
	}
	q.tryIn, q.tryOut = q.tryRead, q.tryWrite
	return q
}

// askFirst has p written before the next read. Whether that went well is in
// askErr: the other side may have answered, and stopped reading, all the same.
func (q *quickConn) askFirst(p []byte) { q.ask, q.askErr = p, nil }

// Read reads what is there, or waits for it.
func (q *quickConn) Read(p []byte) (int, error) {
	if q.raw == nil {
		q.askNow()
		return q.Conn.Read(p)
	}
	q.in, q.got, q.readErr = p, 0, nil
	if err := q.raw.Read(q.tryIn); err != nil {
		return 0, err
	}
	if len(q.ask) > 0 { // more than the kernel takes at once
		q.askNow()
		return q.Read(p)
	}
	if q.got == 0 && q.readErr == nil && len(p) > 0 {
		return 0, io.EOF
	}
	return q.got, q.readErr
}

func (q *quickConn) askNow() {
	if len(q.ask) > 0 {
		_, q.askErr = q.Conn.Write(q.ask)
		q.ask = nil
	}
}

// tryRead reports false when there is nothing yet. It asks here, between the
// moment from which the arrival of an answer is noted and the wait for it: so
// nobody has to look for an answer that cannot be there.
func (q *quickConn) tryRead(fd uintptr) bool {
	if len(q.ask) > 0 {
		n, err := transfer(unix.SYS_WRITE, fd, q.ask)
		q.ask = q.ask[n:]
		switch {
		case err == nil && len(q.ask) == 0:
			return false
		case err == nil || err == unix.EAGAIN:
			return true
		}
		q.ask, q.askErr = nil, err
	}
	q.got, q.readErr = transfer(unix.SYS_READ, fd, q.in)
	return q.readErr != unix.EAGAIN
}

// Write writes all of p.
func (q *quickConn) Write(p []byte) (int, error) {
	if q.raw == nil {
		return q.Conn.Write(p)
	}
	err := q.writeParts(parts{p})
	return len(p) - len(q.out[0]), err
}

// writeParts writes all parts, together if that is possible.
func (q *quickConn) writeParts(p parts) error {
	if q.raw == nil {
		for _, b := range p {
			if len(b) > 0 {
				if _, err := q.Conn.Write(b); err != nil {
					return err
				}
			}
		}
		return nil
	}
	q.out, q.writeErr = p, nil
	if err := q.raw.Write(q.tryOut); err != nil {
		return err
	}
	return q.writeErr
}

func (q *quickConn) tryWrite(fd uintptr) bool {
	for q.writeErr == nil {
		n := 0
		for _, b := range q.out {
			if len(b) > 0 {
				q.iovecs[n].Base = &b[0]
				q.iovecs[n].SetLen(len(b))
				n++
			}
		}
		if n == 0 {
			break
		}
		written, err := direct(unix.SYS_WRITEV, fd, unsafe.Pointer(&q.iovecs), n)
		if err == unix.EAGAIN {
			return false
		}
		for i, b := range q.out {
			took := min(len(b), written)
			q.out[i], written = b[took:], written-took
		}
		q.writeErr = err
	}
	clear(q.iovecs[:])
	return true
}

// transfer reads into p or writes it, as far as that is possible at once.
func transfer(call, fd uintptr, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return direct(call, fd, unsafe.Pointer(&p[0]), len(p))
}

// direct makes a system call that the scheduler does not get to know of.
func direct(call, fd uintptr, p unsafe.Pointer, size int) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(call, fd, uintptr(p), uintptr(size))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, unix.EAGAIN // without an allocation
		default:
			return 0, errno
		}
	}
}
