package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sys/unix"
)

// quickPairs are connections with and without a socket of their own.
var quickPairs = map[string]func(*testing.T) (q *quickConn, peer net.Conn){
	"socket": func(t *testing.T) (*quickConn, net.Conn) {
		a, b := unixPair(t)
		return newQuickConn(a), b
	},
	"memory": func(t *testing.T) (*quickConn, net.Conn) {
		a, b := net.Pipe()
		t.Cleanup(func() { a.Close(); b.Close() })
		return newQuickConn(a), b
	},
}

// All of what is asked arrives, whatever its size, and its answer is read.
func TestQuickConnAsks(t *testing.T) {
	for name, pair := range quickPairs {
		t.Run(name, func(t *testing.T) {
			q, peer := pair(t)
			for _, size := range []int{1, 4 << 10, 8 << 20, 0, 100} {
				asked, answer := strings.Repeat("q", size), strings.Repeat("a", 10<<10)
				heard := make(chan string, 1)
				go func() {
					got := make([]byte, size)
					io.ReadFull(iotest.OneByteReader(io.LimitReader(peer, 10)), got[:min(size, 10)])
					io.ReadFull(peer, got[min(size, 10):])
					heard <- string(got)
					io.WriteString(peer, answer)
				}()
				q.askFirst([]byte(asked))
				got := make([]byte, len(answer))
				if _, err := io.ReadFull(q, got); err != nil || string(got) != answer {
					t.Fatalf("asked with %d bytes: got %d bytes, %v", size, len(got), err)
				}
				if q.askErr != nil || <-heard != asked {
					t.Errorf("%d bytes asked: something else was heard, %v", size, q.askErr)
				}
			}
		})
	}
}

// Who does not listen any more may have answered before.
func TestQuickConnAnsweredBefore(t *testing.T) {
	q, peer := quickPairs["socket"](t)
	io.WriteString(peer, "no")
	peer.Close()
	q.askFirst([]byte("question"))
	got, err := io.ReadAll(q)
	if string(got) != "no" || err != nil || !errors.Is(q.askErr, unix.EPIPE) {
		t.Errorf("got %q, %v, asking: %v", got, err, q.askErr)
	}
}

func TestQuickConnWrites(t *testing.T) {
	for name, pair := range quickPairs {
		t.Run(name, func(t *testing.T) {
			q, peer := pair(t)
			large := bytes.Repeat([]byte("0123456789"), 1<<20)
			heard := make(chan []byte, 1)
			go func() {
				time.Sleep(10 * time.Millisecond) // the kernel takes a part of it
				got := make([]byte, len(large))
				io.ReadFull(peer, got)
				heard <- got
				peer.Close()
			}()
			if n, err := q.Write(large); n != len(large) || err != nil {
				t.Errorf("wrote %d bytes, %v", n, err)
			}
			if !bytes.Equal(<-heard, large) {
				t.Error("something else arrived")
			}
			for err := error(nil); err == nil; {
				if _, err = q.Write([]byte("late")); err != nil && !errors.Is(err, unix.EPIPE) && err != io.ErrClosedPipe {
					t.Errorf("write to nobody: %v", err)
				}
			}
		})
	}
}

// A read ends as other reads do.
func TestQuickConnReadEnds(t *testing.T) {
	for name, pair := range quickPairs {
		for how, tt := range map[string]struct {
			end  func(q *quickConn, peer net.Conn)
			want []error
		}{
			"the other side": {func(_ *quickConn, peer net.Conn) { peer.Close() }, []error{io.EOF}},
			"this side":      {func(q *quickConn, _ net.Conn) { q.Close() }, []error{net.ErrClosed, io.ErrClosedPipe}},
			"its time":       {func(q *quickConn, _ net.Conn) { q.SetReadDeadline(time.Now()) }, []error{os.ErrDeadlineExceeded}},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				q, peer := pair(t)
				go io.ReadFull(peer, make([]byte, len("question")))
				q.askFirst([]byte("question"))
				time.AfterFunc(10*time.Millisecond, func() { tt.end(q, peer) })
				n, err := q.Read(make([]byte, 9))
				if n != 0 || !errors.Is(err, tt.want[0]) && !errors.Is(err, tt.want[len(tt.want)-1]) {
					t.Errorf("got %d bytes, %v, want %v", n, err, tt.want[0])
				}
			})
		}
	}
}
