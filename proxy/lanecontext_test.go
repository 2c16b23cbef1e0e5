package proxy

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type closeCounter int

func (c *closeCounter) Close() error { *c++; return nil }

// The end of an exchange closes what it holds, once.
func TestLaneContextHolds(t *testing.T) {
	c := &laneContext{Context: t.Context()}
	var first, second, third, late closeCounter
	c.hold(&first)
	c.hold(&second)
	c.hold(&third)
	if !c.release(&second) || c.release(&second) {
		t.Error("released not at all or twice")
	}
	c.end()
	c.end()
	if c.release(&first) {
		t.Error("released after the end")
	}
	if c.hold(&late); first != 1 || second != 0 || third != 1 || late != 1 {
		t.Errorf("closed %d, %d, %d, %d times", first, second, third, late)
	}
}

// Contexts that are made of it, and those who wait, see its end, whenever they
// come.
func TestLaneContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		c := &laneContext{Context: context.WithValue(t.Context(), key{}, "value")}
		x := &exchange{Context: c}
		child, cancel := context.WithTimeout(x, time.Hour)
		defer cancel()
		ended := make(chan error, 1)
		context.AfterFunc(child, func() { ended <- child.Err() })
		var conn closeCounter
		stop := closeAtEnd(x, &conn)
		synctest.Wait()
		if child.Err() != nil || c.Err() != nil || child.Value(key{}) != "value" || conn != 0 {
			t.Error("it has ended before its end")
		}
		c.end()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the child ends with %v", err)
		}
		<-c.Done()
		<-c.Done()
		if conn != 1 || stop() {
			t.Errorf("the connection was closed %d times", conn)
		}
	})
}

// A context with a limit of its own closes at that limit.
func TestCloseAtEndOfAChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		child, cancel := context.WithTimeout(&exchange{Context: &laneContext{Context: t.Context()}}, time.Minute)
		defer cancel()
		var late, stopped closeCounter
		closeAtEnd(child, &late)
		stop := closeAtEnd(child, &stopped)
		if !stop() {
			t.Error("it was over before the minute")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if late != 1 || stopped != 0 {
			t.Errorf("closed %d and %d times", late, stopped)
		}
	})
}
