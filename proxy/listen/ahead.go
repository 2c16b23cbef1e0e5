package listen

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// aheadSize is how much is read at once. It is more than what a unix socket holds.
const aheadSize = 256 << 10

// aheadBuffers holds *[]byte of aheadSize bytes.
var aheadBuffers = sync.Pool{New: func() any {
	b := make([]byte, aheadSize)
	return &b
}}

// A Conn is a connection that can read ahead. [net/http.Server] reads through a
// buffer of 4 KiB and asks twice for each chunk of an upload; a client sends chunks
// of 32 KiB.
type Conn struct {
	socket
	ahead atomic.Bool
	buf   *[]byte
	rest  []byte // of buf, read ahead
}

// A socket is a connection of the kernel's: *net.UnixConn or *net.TCPConn.
type socket interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

var _ socket = (*Conn)(nil)

// Ahead returns a listener like ln, whose sockets are each a *Conn.
func Ahead(ln net.Listener) net.Listener { return aheadListener{ln} }

type aheadListener struct{ net.Listener }

func (l aheadListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if s, ok := c.(socket); ok {
		return &Conn{socket: s}, nil
	}
	return c, err
}

// ReadAhead turns reading ahead on or off. It holds no buffer while it is off, or
// when what was read is taken. [Conn.Unread] is what may be left.
func (c *Conn) ReadAhead(on bool) { c.ahead.Store(on) }

// Read reads like a socket. It is not for concurrent use. A single byte is what the server
// asks for when it has the whole body and waits for its client to leave, which may take
// hours.
func (c *Conn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if !c.ahead.Load() || len(p) == 1 {
			return c.socket.Read(p)
		}
		c.buf = aheadBuffers.Get().(*[]byte)
		n, err := c.socket.Read(*c.buf)
		c.rest = (*c.buf)[:n]
		if n == 0 {
			aheadBuffers.Put(c.buf)
			return 0, err
		}
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		aheadBuffers.Put(c.buf)
		c.buf, c.rest = nil, nil
	}
	return n, nil
}

// Unread takes what was read ahead. The socket itself does not have it any more.
func (c *Conn) Unread() []byte {
	rest := c.rest
	c.buf, c.rest = nil, nil
	return rest
}
