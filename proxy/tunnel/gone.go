package tunnel

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Gone reports whether the peer of c has left, and not only closed its writing side. On
// a unix socket this is known at once, over TCP after something is sent to the peer.
// On a connection that is not a socket it is never known.
func Gone(c net.Conn) bool {
	raw := rawConn(c)
	if raw == nil {
		return false
	}
	var gone bool
	err := raw.Control(func(fd uintptr) { gone = hungUp(fd) })
	return err != nil || gone
}

// waitGone waits until the peer of c, which has closed its writing side, has left, or
// until c is closed. Over TCP a keep-alive probe tells. If c is not a socket, waitGone
// returns false at once.
func waitGone(c net.Conn) bool {
	raw := rawConn(c)
	if raw == nil {
		return false
	}
	err := raw.Read(hungUp)
	return err == nil || errors.Is(err, net.ErrClosed)
}

// rawConn returns the socket of c, nil if there is none.
func rawConn(c net.Conn) syscall.RawConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// hungUp reports whether both directions of the socket are closed or broken.
func hungUp(fd uintptr) bool {
	p := []unix.PollFd{{Fd: int32(fd)}}
	for {
		_, err := unix.Poll(p, 0)
		if err != unix.EINTR {
			return err != nil || p[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
		}
	}
}
