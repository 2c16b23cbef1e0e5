package proxy

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

// A scriptConn gives its bytes in as large pieces as are asked for, and counts.
type scriptConn struct {
	net.Conn
	left  []byte
	reads int
}

func (c *scriptConn) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	c.reads++
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

// TestReadAhead: whatever is asked for, the bytes are the same, few reads bring
// them, and nothing is held at the end.
func TestReadAhead(t *testing.T) {
	want := make([]byte, 10*readAhead+17)
	for i := range want {
		want[i] = byte(rand.Uint32())
	}
	for name, size := range map[string]func() int{
		"server":  func() int { return serverRead },
		"chunks":  func() int { return []int{serverRead, 28680}[rand.IntN(2)] },
		"random":  func() int { return 1 + rand.IntN(2*readAhead) },
		"at once": func() int { return len(want) },
	} {
		t.Run(name, func(t *testing.T) {
			src := &scriptConn{left: want}
			c := newAheadConn(newQuickConn(src), nil)
			var got []byte
			for {
				p := make([]byte, size())
				n, err := c.Read(p)
				got = append(got, p[:n]...)
				if err == io.EOF {
					break
				}
			}
			if !bytes.Equal(got, want) {
				t.Error("other bytes")
			}
			if src.reads > 40 {
				t.Errorf("%d reads for %d bytes", src.reads, len(want))
			}
			if c.buf != nil {
				t.Error("a buffer is held at the end")
			}
		})
	}
}

// TestReadAheadOfLittle: a connection of small requests never reads ahead, and
// what was read ahead of a hijack is not lost.
func TestReadAheadOfLittle(t *testing.T) {
	src := &scriptConn{left: bytes.Repeat([]byte("x"), 100)}
	c := newAheadConn(newQuickConn(src), nil)
	for range 10 {
		src.left = src.left[:min(len(src.left), 10)]
		if n, err := c.Read(make([]byte, serverRead)); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		src.left = bytes.Repeat([]byte("x"), 100)
		if c.buf != nil {
			t.Fatal("read ahead of a small request")
		}
	}
	src.left = bytes.Repeat([]byte("0123456789abcdef"), 2000)
	want := bytes.Clone(src.left)
	p := make([]byte, serverRead)
	for range 3 {
		n, _ := c.Read(p)
		want = want[n:]
	}
	conn, rest := c.unwrap()
	if conn != src || !bytes.Equal(rest, want) || c.buf != nil {
		t.Errorf("unwrap gave %d bytes, want %d", len(rest), len(want))
	}
}
