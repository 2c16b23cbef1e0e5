package proxy

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An idleLook tells whether a connection is open and silent.
type idleLook struct {
	raw    syscall.RawConn // nil when the connection has no socket
	at     func(fd uintptr)
	byte   [1]byte
	silent bool
}

func newIdleLook(conn net.Conn) *idleLook {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	l := new(idleLook)
	if s, ok := conn.(syscall.Conn); ok {
		l.raw, _ = s.SyscallConn()
	}
	l.at = func(fd uintptr) {
		_, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&l.byte[0])), 1, unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
		l.silent = errno == unix.EAGAIN
	}
	return l
}

// open reports whether the engine has neither closed an idle connection nor
// said anything on it.
func (l *idleLook) open() bool {
	return l.raw != nil && l.raw.Control(l.at) == nil && l.silent
}
