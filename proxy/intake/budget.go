package intake

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sockguard/policy/verdict"
)

// patience is how long a request waits for others. Most bodies are held for
// milliseconds.
const patience = 10 * time.Second

// A budget is a number of bytes that the clients of a process share. An owner may have
// no more of it than is left for the others after that. So one owner has half of it
// at most, and bodies that it never finishes do not keep out another owner's.
type budget struct {
	what string // what the bytes are for, in messages
	size int

	mu    sync.Mutex
	free  int
	held  map[string]int // by owner
	freed chan struct{}  // closed when bytes are given back; nil if nobody waits
}

// newBudget returns a budget of size bytes for what a message names.
func newBudget(what string, size int) *budget {
	return &budget{what: what, size: size, free: size, held: map[string]int{}}
}

// take takes n bytes for an owner. If too few are left it waits, but not for
// long, and not longer than ctx.
func (b *budget) take(ctx context.Context, owner string, n int) error {
	ok, freed := b.try(owner, n)
	if ok {
		return nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-freed:
			if ok, freed = b.try(owner, n); ok {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return b.full()
		}
	}
}

// full is the error when too few are left.
func (b *budget) full() error {
	return &verdict.Denied{
		Status: http.StatusServiceUnavailable, Rule: "busy",
		Message: fmt.Sprintf("no room for %s: all owners share %d MiB, of which one has half of what the others leave; try again when some of your requests have ended", b.what, b.size>>20),
	}
}

// try takes n bytes if so many are left. If not, freed is closed when there is more.
func (b *budget) try(owner string, n int) (ok bool, freed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[owner]+n > b.free-n {
		if b.freed == nil {
			b.freed = make(chan struct{})
		}
		return false, b.freed
	}
	b.free -= n
	b.held[owner] += n
	return true, nil
}

func (b *budget) give(owner string, n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	if b.held[owner] -= n; b.held[owner] == 0 {
		delete(b.held, owner)
	}
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}
