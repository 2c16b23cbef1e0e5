// Package intake bounds the memory that what clients send, and what they make the
// engine answer, takes in the whole process, however many ask at once.
//
// A budget is a number of bytes that all owners share. An exchange has a [Share] of it,
// which it takes as it needs memory and gives back when it ends.
package intake

import (
	"context"
	"errors"
	"sync"
)

// The budgets of the process. Decoded, a body takes several times its bytes.
var (
	// small and large are for JSON bodies, so that small ones never wait behind
	// large ones.
	small = newBudget("so many request bodies", 16<<20)
	large = newBudget("so many large request bodies", 16<<20)

	// heads is for requests whose URL and headers are longer than freeHead.
	heads = newBudget("so many requests with long headers", 16<<20)

	// uploads is for what is held while archives are rewritten.
	uploads = newBudget("so many uploads at once", 256<<20)

	// answers is for what is held of an engine's answer: an object whose labels a
	// client has made large.
	answers = newBudget("so many answers about large objects", 64<<20)
)

// A Share is what one exchange has taken.
type Share struct {
	owner string

	mu    sync.Mutex
	taken map[*budget]int
	ended bool
}

// NewShare returns an empty share of an owner.
func NewShare(owner string) *Share { return &Share{owner: owner} }

// Upload takes n bytes for an archive that is being rewritten.
func (s *Share) Upload(ctx context.Context, n int) error { return s.take(ctx, uploads, n) }

// Uploaded gives back what Upload has taken.
func (s *Share) Uploaded() { s.keep(uploads, 0) }

// Release gives all back. It takes no more.
func (s *Share) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for b, n := range s.taken {
		b.give(s.owner, n)
	}
	s.taken = nil
}

var errEnded = errors.New("the exchange has ended")

func (s *Share) take(ctx context.Context, b *budget, n int) error {
	if err := b.take(ctx, s.owner, n); err != nil {
		return err
	}
	return s.took(b, n)
}

// took notes what was taken of a budget.
func (s *Share) took(b *budget, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		b.give(s.owner, n)
		return errEnded
	}
	if s.taken == nil {
		s.taken = map[*budget]int{}
	}
	s.taken[b] += n
	return nil
}

// keep gives back what was taken of a budget, but for n bytes.
func (s *Share) keep(b *budget, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[b] > n {
		b.give(s.owner, s.taken[b]-n)
		s.taken[b] = n
	}
}
