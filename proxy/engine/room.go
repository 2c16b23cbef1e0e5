package engine

import (
	"context"
	"sync"

	"sockguard/policy/verdict"
)

// A room holds the places of objects that are being made, so that a ceiling holds for
// requests that come at once. An object counts as held until the engine has answered, and
// may then be listed as well.
type room struct {
	lock    chan struct{} // has a value while one counts or gives a place back
	held    map[verdict.Kind]int
	changed chan struct{} // closed when a place is given back
}

// newRoom returns a room in which nothing is held.
func newRoom() *room {
	return &room{lock: make(chan struct{}, 1), held: map[verdict.Kind]int{}, changed: make(chan struct{})}
}

// Reserve keeps places for objects that a client is about to make, as a
// [verdict.Inspector] does.
func (r *room) Reserve(ctx context.Context, kind verdict.Kind, want, ceiling int, count func() (int, error)) (release func(), err error) {
	for {
		select {
		case r.lock <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		free, changed, err := r.take(kind, want, ceiling, count)
		switch {
		case err != nil:
			return nil, err
		case free:
			return sync.OnceFunc(func() { r.give(kind, want) }), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take takes places if they are free for certain. If others are about to give some
// back, it returns what to wait for: their objects may be among the counted ones. It
// gives the lock back.
func (r *room) take(kind verdict.Kind, want, ceiling int, count func() (int, error)) (free bool, changed <-chan struct{}, err error) {
	defer func() { <-r.lock }()
	n, err := count()
	switch held := r.held[kind]; {
	case err != nil:
		return false, nil, err
	case n <= ceiling-want-held:
		r.held[kind] += want
		return true, nil, nil
	case held == 0 || n > ceiling-want:
		return false, nil, verdict.ErrNoRoom
	}
	return false, r.changed, nil
}

// give takes places back. It waits for a count that has begun: the object may not be
// in it.
func (r *room) give(kind verdict.Kind, n int) {
	r.lock <- struct{}{}
	r.held[kind] -= n
	close(r.changed)
	r.changed = make(chan struct{})
	<-r.lock
}
