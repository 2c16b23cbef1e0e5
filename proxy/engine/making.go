package engine

import (
	"context"
	"maps"
	"slices"
	"sync"

	"sockguard/policy/verdict"
)

// makings are the containers that an owner makes. Each is there, and in every list,
// before it is checked, so a look-up of a container that was never seen waits for their
// end.
type makings struct {
	mu    sync.Mutex
	all   map[chan struct{}]bool
	ended int // how many have ended
}

// byOwner has the *makings of each owner. An owner may have several guards in a process,
// and a guard is replaced when its settings change.
var byOwner sync.Map

// makingsOf returns the makings of the caller's owner.
func makingsOf(ctx context.Context) *makings {
	owner := callerOf(ctx).Owner
	m, ok := byOwner.Load(owner)
	if !ok {
		m, _ = byOwner.LoadOrStore(owner, new(makings))
	}
	return m.(*makings)
}

// count returns how many have ended.
func (m *makings) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ended
}

// Making tells that the caller of ctx makes a container, until end is first called,
// with whether it was accepted. Its own look-ups do not wait.
func (c *Client) Making(ctx context.Context) (end func(accepted bool)) {
	caller := callerOf(ctx)
	caller.makes = true
	done := make(chan struct{})
	m := makingsOf(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[chan struct{}]bool{}
	}
	m.all[done] = true
	return func(accepted bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !m.all[done] {
			return
		}
		for _, o := range caller.made {
			if accepted {
				c.objects.put(verdict.Container, o)
			}
		}
		delete(m.all, done)
		m.ended++
		close(done)
	}
}

// wait waits until what is being made now has been checked. It reports whether there
// was any, or one has ended since count returned ended.
func (m *makings) wait(ctx context.Context, ended int) (waited bool, err error) {
	if callerOf(ctx).makes {
		return false, nil
	}
	m.mu.Lock()
	all := slices.Collect(maps.Keys(m.all))
	waited = len(all) > 0 || m.ended != ended
	m.mu.Unlock()
	for _, done := range all {
		select {
		case <-done:
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	return waited, nil
}
