package proxy

import (
	"net"
	"sync"
)

const (
	// readAhead is how much of an upload is read at once. The HTTP server asks
	// for 4 KiB or for the rest of a chunk, and clients make small chunks.
	readAhead = 256 << 10

	// serverRead is how much the HTTP server asks for.
	serverRead = 4 << 10
)

// aheadBuffers holds *[]byte of readAhead bytes.
var aheadBuffers = sync.Pool{New: func() any {
	b := make([]byte, readAhead)
	return &b
}}

// An aheadConn reads more than it is asked for while reads get all that they
// ask for, as during uploads. It holds a buffer only while there is something
// in it. Like the server's own reader it is not read by two at once.
type aheadConn struct {
	net.Conn
	in   *quickConn // Conn
	buf  *[]byte    // of aheadBuffers; nil when nothing is ahead
	rest []byte     // what of it was not read yet
	full int        // reads in a row that got all they asked for
}

// newAheadConn returns c with bytes that were read of it, at most readAhead.
func newAheadConn(c *quickConn, read []byte) *aheadConn {
	a := &aheadConn{Conn: c.Conn, in: c}
	if len(read) > 0 {
		a.buf = aheadBuffers.Get().(*[]byte)
		a.rest = (*a.buf)[:copy(*a.buf, read)]
	}
	return a
}

// Read reads from the connection, or what was read ahead of it.
func (c *aheadConn) Read(p []byte) (int, error) {
	if c.buf == nil {
		if c.full < 2 || len(p) >= readAhead {
			n, err := c.in.Read(p)
			c.note(n, len(p))
			return n, err
		}
		buf := aheadBuffers.Get().(*[]byte)
		n, err := c.in.Read(*buf)
		c.note(n, serverRead)
		c.buf, c.rest = buf, (*buf)[:n]
		if n == 0 {
			c.release()
			return 0, err
		}
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.release()
	}
	return n, nil
}

func (c *aheadConn) note(got, asked int) {
	if got < asked || asked < serverRead {
		c.full = 0
		return
	}
	c.full++
}

func (c *aheadConn) release() {
	aheadBuffers.Put(c.buf)
	c.buf, c.rest = nil, nil
}

// CloseWrite ends one direction.
func (c *aheadConn) CloseWrite() error {
	closeWrite(c.Conn)
	return nil
}

// unwrap returns the connection itself, and what was read ahead of it.
func (c *aheadConn) unwrap() (net.Conn, []byte) {
	rest := append([]byte(nil), c.rest...)
	if c.buf != nil {
		c.release()
	}
	return c.Conn, rest
}
