package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sockguard/policy/verdict"
)

// As many objects are made as there is room for, however many are asked for at once,
// and none is refused that has room.
func TestReserve(t *testing.T) {
	const ceiling, clients = 5, 40
	c := newRoom()
	var made, refused atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			release, err := c.Reserve(t.Context(), verdict.Container, 1, ceiling, func() (int, error) { return int(made.Load()), nil })
			switch {
			case err == nil:
				time.Sleep(time.Millisecond)
				made.Add(1)
				time.Sleep(time.Millisecond)
				release()
				release() // once more changes nothing
			case errors.Is(err, verdict.ErrNoRoom):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != ceiling || refused.Load() != clients-ceiling || c.held[verdict.Container] != 0 {
		t.Errorf("got %d made, %d refused and %d held", made.Load(), refused.Load(), c.held[verdict.Container])
	}
}

// One who waits for room to become clear stops with its client.
func TestReserveEnds(t *testing.T) {
	c := newRoom()
	none := func() (int, error) { return 0, nil }
	release, err := c.Reserve(t.Context(), verdict.Container, 1, 1, none)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Reserve(ctx, verdict.Container, 1, 1, none); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Reserve(t.Context(), verdict.Service, 2, 1, none); !errors.Is(err, verdict.ErrNoRoom) {
		t.Errorf("got %v for more than the ceiling", err)
	}
}
