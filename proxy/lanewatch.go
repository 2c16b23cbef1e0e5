package proxy

import (
	"bufio"
	"time"
)

// watchAfter is how long an exchange may take, at least, before its client is
// watched: short ones end sooner than a client could leave.
const watchAfter = 20 * time.Millisecond

// The phases of an exchange.
const (
	phaseNone    = iota
	phaseBegun   // since the last tick
	phaseGoesOn  // for a tick at least
	phaseWatched // its client is
)

// tick has the client watched when the exchange began before the last tick. A
// timer for each exchange would cost more than most of them.
func (n *lane) tick() {
	switch {
	case n.phase.CompareAndSwap(phaseBegun, phaseGoesOn):
		n.timer.Reset(watchAfter)
	case n.phase.CompareAndSwap(phaseGoesOn, phaseWatched):
		n.ticks.Store(false)
		n.look()
	default:
		n.ticks.Store(false)
		if n.phase.Load() != phaseNone && n.ticks.CompareAndSwap(false, true) {
			n.timer.Reset(watchAfter) // of an exchange that saw it tick
		}
	}
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
	if (err != bufio.ErrBufferFull || waitGone(n.conn.Conn)) && !n.isOver() {
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
