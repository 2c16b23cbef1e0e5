package tarcopy

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Uploads force no more than one collection in a pause, which is longer after a long
// one, and the last one is followed by a collection.
func TestCollector(t *testing.T) {
	for took, pause := range map[time.Duration]time.Duration{
		time.Millisecond:      collectPause,
		20 * time.Millisecond: time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var at []time.Duration
			start := time.Now()
			c := collector{collect: func() {
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Since(start))
				time.Sleep(took)
			}}
			for time.Since(start) < 7*pause/4 {
				c.dropped()
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(time.Hour)
			mu.Lock()
			if want := []time.Duration{0, pause, 2 * pause}; !slices.Equal(at, want) {
				t.Errorf("collections of %v are forced at %v, want %v", took, at, want)
			}
			mu.Unlock()
			c.dropped()
			if len(at) != 4 {
				t.Error("an upload after a long time forces no collection")
			}
		})
	}
}
