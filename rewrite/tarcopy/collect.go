package tarcopy

import (
	"runtime/debug"
	"sync"
	"time"
)

// A forced collection takes at most a fiftieth of the time, and there are at most four
// in a second.
const (
	collectPause = 250 * time.Millisecond
	collectShare = 50
)

// windows has the windows of decoders collected after use. Without that they stay
// until the heap has grown by as much again.
var windows = collector{collect: debug.FreeOSMemory}

// A collector forces a collection of the heap after something large was dropped, with
// a pause after each: a collection reads the heap of all exchanges, and a client can
// send a thousand small archives a second.
type collector struct {
	collect func()

	mu      sync.Mutex
	next    time.Time // when the next collection may begin
	planned bool      // it will begin then
}

// dropped collects, at once or as soon as the pause is over.
func (c *collector) dropped() {
	c.mu.Lock()
	planned := c.planned
	c.planned = true
	c.mu.Unlock()
	if !planned {
		c.run()
	}
}

// run collects when the pause is over, and begins the next one.
func (c *collector) run() {
	begin := time.Now()
	c.mu.Lock()
	if wait := c.next.Sub(begin); wait > 0 {
		c.mu.Unlock()
		time.AfterFunc(wait, c.run)
		return
	}
	c.next, c.planned = begin.Add(collectPause), false
	c.mu.Unlock()
	c.collect()
	c.mu.Lock()
	c.next = begin.Add(max(collectPause, collectShare*time.Since(begin)))
	c.mu.Unlock()
}
