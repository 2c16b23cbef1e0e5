package tarcopy

import (
	"testing"
	"testing/synctest"
	"time"
)

// Uploads force one collection in a pause, which is longer after a long one, and the
// last upload is followed by one.
func TestCollector(t *testing.T) {
	for took, pause := range map[time.Duration]time.Duration{
		time.Millisecond:      collectPause,
		20 * time.Millisecond: time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			at := make(chan time.Duration, 100)
			start := time.Now()
			c := collector{collect: func() {
				at <- time.Since(start)
				time.Sleep(took)
			}}
			for range 500 { // in 5 s
				c.dropped()
				time.Sleep(10 * time.Millisecond)
			}
			dropped := time.Since(start)
			time.Sleep(time.Hour)
			var last time.Duration
			for len(at) > 0 {
				now := <-at
				if last > collectPause && now-last < pause {
					t.Errorf("collections of %v at %v and %v, want a pause of %v", took, last, now, pause)
				}
				last = now
			}
			if last < dropped {
				t.Errorf("the last collection is at %v, before the last upload at %v", last, dropped)
			}
		})
	}
}
