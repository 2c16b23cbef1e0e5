package intake

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sockguard/policy/verdict"
)

// patience is how long a request waits for room. Most bodies are held for
// milliseconds.
const patience = 10 * time.Second

// A room is a number of bytes that the clients of a process share. An owner may have
// no more of it than is left for the others after that. So one owner has half of it
// at most, and bodies that it never finishes do not keep out another owner's.
type room struct {
	what string // what the bytes are for, in messages
	size int

	mu    sync.Mutex
	free  int
	held  map[string]int // by owner
	freed chan struct{}  // closed when room is given back; nil if nobody waits
}

// newRoom returns a room of size bytes for what a message names.
func newRoom(what string, size int) *room {
	return &room{what: what, size: size, free: size, held: map[string]int{}}
}

// take takes n bytes for an owner. If there is no room it waits for some, but not for
// long, and not longer than ctx.
func (r *room) take(ctx context.Context, owner string, n int) error {
	ok, freed := r.try(owner, n)
	if ok {
		return nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-freed:
			if ok, freed = r.try(owner, n); ok {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return r.full()
		}
	}
}

// full is the error when there is no room.
func (r *room) full() error {
	return &verdict.Denied{
		Status: http.StatusServiceUnavailable, Rule: "busy",
		Message: fmt.Sprintf("no room for %s: all owners share %d MiB, of which one has half of what the others leave; try again when some of your requests have ended", r.what, r.size>>20),
	}
}

// try takes n bytes if there is room. If not, freed is closed when there is more.
func (r *room) try(owner string, n int) (ok bool, freed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held[owner]+n > r.free-n {
		if r.freed == nil {
			r.freed = make(chan struct{})
		}
		return false, r.freed
	}
	r.free -= n
	r.held[owner] += n
	return true, nil
}

func (r *room) give(owner string, n int) {
	if n == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += n
	if r.held[owner] -= n; r.held[owner] == 0 {
		delete(r.held, owner)
	}
	if r.freed != nil {
		close(r.freed)
		r.freed = nil
	}
}
