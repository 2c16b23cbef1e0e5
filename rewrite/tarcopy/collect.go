package tarcopy

import (
	"runtime/debug"
	"sync"
	"time"
)

// collectPause is the least time between two forced collections.
const collectPause = 10 * time.Second

// windows has the windows of decoders collected after use. Without that they stay
// until the heap has grown by as much again.
var windows = collector{collect: debug.FreeOSMemory}

// A collector forces a collection of the heap after something large was dropped, but
// no more than one in a collectPause: a collection reads the heap of all exchanges, and
// a client can send a thousand small archives a second.
type collector struct {
	collect func()

	mu      sync.Mutex
	next    time.Time // when the next collection may begin
	planned bool      // it will begin then
}

// dropped collects, at once or as soon as the pause is over.
func (c *collector) dropped() {
	c.mu.Lock()
	wait := time.Until(c.next)
	now := wait <= 0 && !c.planned
	if !now && !c.planned {
		time.AfterFunc(wait, c.run)
	}
	c.planned = true
	c.mu.Unlock()
	if now {
		c.run()
	}
}

// run collects and begins a pause.
func (c *collector) run() {
	c.mu.Lock()
	c.next, c.planned = time.Now().Add(collectPause), false
	c.mu.Unlock()
	c.collect()
}
