package proxy

import (
	"context"
	"io"
	"slices"
	"sync"
)

// A laneContext is the context of one exchange of a lane, which ends it. It knows
// the connections to close at its end, and makes a channel for those who wait;
// package context would do more for each exchange than its decision takes.
type laneContext struct {
	context.Context // of the lane, for its values

	exchange *exchange // that it is the context of, which saves a copy of the request

	mu   sync.Mutex
	done chan struct{} // nil until somebody waits for it
	err  error
	held []io.Closer
	room [1]io.Closer // for held
}

// Value returns the exchange, or a value of the lane.
func (c *laneContext) Value(key any) any {
	if key == (exchangeKey{}) && c.exchange != nil {
		return c.exchange
	}
	return c.Context.Value(key)
}

// Done returns a channel that is closed at the end of the exchange.
func (c *laneContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err returns [context.Canceled] after the end.
func (c *laneContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *laneContext) end() {
	c.mu.Lock()
	held := c.held
	c.held = nil
	if c.err == nil {
		c.err = context.Canceled
		if c.done != nil {
			close(c.done)
		}
	}
	c.mu.Unlock()
	for _, h := range held {
		h.Close() // which may take a while with TLS
	}
}

// hold closes h at the end, unless it is released before.
func (c *laneContext) hold(h io.Closer) {
	c.mu.Lock()
	over := c.err != nil
	if !over {
		if c.held == nil {
			c.held = c.room[:0]
		}
		c.held = append(c.held, h)
	}
	c.mu.Unlock()
	if over {
		h.Close()
	}
}

// release reports whether h is still held, and lets go of it.
func (c *laneContext) release(h io.Closer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.held, h)
	if i < 0 {
		return false
	}
	c.held = slices.Delete(c.held, i, i+1)
	return true
}

// closeAtEnd closes c when ctx ends. Stop reports whether it has not.
func closeAtEnd(ctx context.Context, c io.Closer) (stop func() bool) {
	if x, ok := ctx.(*exchange); ok {
		ctx = x.Context
	}
	if l, ok := ctx.(*laneContext); ok {
		l.hold(c)
		return func() bool { return l.release(c) }
	}
	return context.AfterFunc(ctx, func() { c.Close() })
}
