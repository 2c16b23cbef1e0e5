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

// laneRead is how much is read of requests at once; a longer head is not plain.
const laneRead = 4 << 10

// A lane is a client's connection as long as it sends plain requests.
type lane struct {
	*lanes
	conn *quickConn
	r    *bufio.Reader
	w    laneWriter
	room headerRoom // of the requests

	idle time.Time   // when the deadline of the next request was set, zero if it was not
	busy atomic.Bool // a request has come and is not answered yet

	current struct {
		sync.Mutex
		ctx  *laneContext // of the exchange
		gone bool         // the client, or the guard stops
	}

	timer *time.Timer  // calls tick watchAfter after an exchange began, and on
	ticks atomic.Bool  // the timer runs
	phase atomic.Int32 // of the exchange
	watch struct {
		sync.Mutex
		over bool          // the exchange
		done chan struct{} // gets a value when the watch that a tick started ends
	}
}

func newLane(l *lanes, c net.Conn) *lane {
	q := newQuickConn(c)
	n := &lane{lanes: l, conn: q, r: bufio.NewReaderSize(q, laneRead)}
	n.w.conn, n.w.closed = q, l.closed
	n.watch.done = make(chan struct{}, 1)
	n.timer = time.AfterFunc(time.Hour, n.tick)
	n.timer.Stop()
	return n
}

// serve answers requests until one is not plain or the client has no more.
func (n *lane) serve() {
	defer n.leave(n)
	defer context.AfterFunc(n.life, n.cancel)()
	n.conn.SetReadDeadline(time.Now().Add(headerTimeout))
	for {
		if _, err := n.r.Peek(1); err != nil {
			n.conn.Close()
			return
		}
		n.busy.Store(true)
		read, _ := n.r.Peek(n.r.Buffered())
		r, size := plainRequest(read, &n.room)
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
	ctx := n.begin()
	defer func() {
		ctx.end()
		if n.phase.Swap(phaseNone) == phaseWatched {
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

// begin returns the context of a new exchange.
func (n *lane) begin() *laneContext {
	ctx := &laneContext{Context: n.life}
	n.current.Lock()
	n.current.ctx = ctx
	gone := n.current.gone
	n.current.Unlock()
	if gone {
		ctx.end()
	}
	n.phase.Store(phaseBegun)
	if n.ticks.CompareAndSwap(false, true) {
		n.timer.Reset(watchAfter)
	}
	return ctx
}

// cancel ends the exchange and those to come.
func (n *lane) cancel() {
	n.current.Lock()
	n.current.gone = true
	ctx := n.current.ctx
	n.current.Unlock()
	if ctx != nil {
		ctx.end()
	}
}
