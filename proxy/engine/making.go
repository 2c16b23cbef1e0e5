package engine

import (
	"context"
	"maps"
	"slices"
	"sync"

	"sockguard/policy/verdict"
)

// makings are the containers that are being made. Each is there, and in every list,
// before it is checked, so a container that was never seen waits for their end.
type makings struct {
	mu  sync.Mutex
	all map[chan struct{}]bool
}

// Making tells that the caller of ctx makes a container, until end is called. Its own
// look-ups do not wait.
func (c *Client) Making(ctx context.Context) (end func()) {
	caller := callerOf(ctx)
	caller.makes = true
	done := make(chan struct{})
	m := &c.making
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[chan struct{}]bool{}
	}
	m.all[done] = true
	return sync.OnceFunc(func() {
		for _, o := range caller.made {
			c.objects.put(verdict.Container, o)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.all, done)
		close(done)
	})
}

// wait waits until what is being made now has been checked. It reports whether there
// was any.
func (m *makings) wait(ctx context.Context) (waited bool, err error) {
	if callerOf(ctx).makes {
		return false, nil
	}
	m.mu.Lock()
	all := slices.Collect(maps.Keys(m.all))
	m.mu.Unlock()
	for _, done := range all {
		select {
		case <-done:
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	return len(all) > 0, nil
}
