package tarcopy

import (
	"testing"
	"testing/synctest"
	"time"
)

// Uploads force no more than one collection in a pause, and the last one is followed
// by a collection.
func TestCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		c := collector{collect: func() { at = append(at, time.Since(start)) }}
		c.dropped()
		for range 1500 { // one in a hundredth of a second
			time.Sleep(10 * time.Millisecond)
			c.dropped()
		}
		time.Sleep(time.Hour)
		want := []time.Duration{0, collectPause, 2 * collectPause}
		if len(at) != len(want) || at[1] != want[1] || at[2] != want[2] {
			t.Errorf("1500 uploads in 15 s force collections at %v, want %v", at, want)
		}
		c.dropped()
		if len(at) != 4 {
			t.Error("an upload after a long time forces no collection")
		}
	})
}
