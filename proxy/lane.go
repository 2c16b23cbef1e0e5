package proxy

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// laneRead is how much is read of requests at once; a longer head is not plain.
	laneRead = 4 << 10

	// watchAfter is how long an exchange may take before its client is watched:
	// short ones end sooner than a client could leave.
	watchAfter = 20 * time.Millisecond
)

// A lane is a client's connection as long as it sends plain requests.
type lane struct {
	*lanes
	conn net.Conn
	r    *bufio.Reader
	w    laneWriter

	ctx    context.Context // ends when the client leaves
	cancel context.CancelFunc
	idle   time.Time   // when the deadline of the next request was set, zero if it was not
	busy   atomic.Bool // a request has come and is not answered yet

	timer *time.Timer // starts watch
	watch struct {
		sync.Mutex
		over bool          // the exchange
		done chan struct{} // gets a value when the watch that the timer started ends
	}
}

func newLane(l *lanes, c net.Conn) *lane {
	n := &lane{lanes: l, conn: c, r: bufio.NewReaderSize(c, laneRead)}
	n.ctx, n.cancel = context.WithCancel(l.life)
	n.w.conn, n.w.closed = c, l.closed
	n.watch.done = make(chan struct{}, 1)
	n.timer = time.AfterFunc(time.Hour, n.look)
	n.timer.Stop()
	return n
}

// serve answers requests until one is not plain or the client has no more.
func (n *lane) serve() {
	defer n.leave(n)
	defer n.cancel()
	n.conn.SetReadDeadline(time.Now().Add(headerTimeout))
	for {
		if _, err := n.r.Peek(1); err != nil {
			n.conn.Close()
			return
		}
		n.busy.Store(true)
		read, _ := n.r.Peek(n.r.Buffered())
		r, size := plainRequest(read)
		if size == 0 {
			n.handOver(read)
			return
		}
		n.r.Discard(size)
		if !n.exchange(&r) {
			n.conn.Close()
			return
		}
		n.busy.Store(false)
		if n.isClosed() {
			n.conn.Close()
			return
		}
		if now := time.Now(); now.Sub(n.idle) > time.Second {
			n.idle = now
			n.conn.SetReadDeadline(now.Add(idleTimeout))
		}
	}
}

// handOver gives the connection to the server, with what was read of it.
func (n *lane) handOver(read []byte) {
	select {
	case n.others <- newAheadConn(n.conn, read):
	case <-n.closed:
		n.conn.Close()
	}
}

// exchange answers one request and reports whether another may follow.
func (n *lane) exchange(r *http.Request) (ok bool) {
	n.w.begin(r)
	ctx, end := context.WithCancel(n.ctx)
	n.timer.Reset(watchAfter)
	defer func() {
		end()
		if !n.timer.Stop() {
			n.lookAway()
		}
		if v := recover(); v != nil {
			ok = false
			if v != http.ErrAbortHandler {
				n.log.Error("panic", slog.Any("value", v), slog.String("stack", string(debug.Stack())))
			}
		}
	}()
	n.handler.ServeHTTP(&n.w, r.WithContext(ctx))
	return n.w.end() == nil && !n.w.last
}

// look waits for the client to leave while an exchange takes its time, and ends
// the exchange when it does.
func (n *lane) look() {
	defer func() { n.watch.done <- struct{}{} }()
	n.watch.Lock()
	if n.watch.over {
		n.watch.Unlock()
		return
	}
	n.conn.SetReadDeadline(time.Time{})
	n.watch.Unlock()
	// What comes is of the next requests. It stays where it is.
	var err error
	for err == nil {
		_, err = n.r.Peek(n.r.Buffered() + 1)
	}
	if (err != bufio.ErrBufferFull || waitGone(n.conn)) && !n.isOver() {
		n.cancel()
	}
}

func (n *lane) isOver() bool {
	n.watch.Lock()
	defer n.watch.Unlock()
	return n.watch.over
}

// lookAway ends a look.
func (n *lane) lookAway() {
	n.watch.Lock()
	n.watch.over = true
	n.conn.SetReadDeadline(time.Unix(1, 0))
	n.watch.Unlock()
	<-n.watch.done
	n.watch.over = false
	n.idle = time.Time{}
}
