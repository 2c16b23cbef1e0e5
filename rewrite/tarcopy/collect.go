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

// A collector forces a collection of the heap soon after something large was dropped,
// with a pause between two: a collection reads the heap of all exchanges, and a client
// can send a thousand small archives a second.
type collector struct {
	collect func()

	mu      sync.Mutex
	pause   time.Duration // before the next collection
	planned bool
}

// dropped plans a collection.
func (c *collector) dropped() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.planned {
		c.planned = true
		time.AfterFunc(max(collectPause, c.pause), c.run)
	}
}

func (c *collector) run() {
	c.mu.Lock()
	c.planned = false // what is dropped from here on may be missed by this one
	c.mu.Unlock()
	begin := time.Now()
	c.collect()
	took := time.Since(begin)
	c.mu.Lock()
	c.pause = collectShare * took
	c.mu.Unlock()
}
