package intake

import (
	"context"
	"io"
)

// freeAnswer is how much of an answer takes nothing of the budget.
const freeAnswer = 256 << 10

// answerPiece is how much of an answer is read at once, at most. So little is held
// beyond the object at hand.
const answerPiece = 64 << 10

// An answer takes memory for the object of an engine's answer that is being read.
type answer struct {
	io.ReadCloser
	ctx   context.Context
	share *Share
	n     int // bytes since the last object
	held  int // bytes that n may have
}

// Answer returns an engine's answer for which memory is taken while it is read. An
// exchange holds one answer at a time. Of a list or a stream one object is held: the
// method Next tells that it has been read, and Dropped that no memory is held for a
// large one any more.
func (s *Share) Answer(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	return &answer{body, ctx, s, 0, freeAnswer}
}

// Next tells that an object has been read.
func (a *answer) Next() { a.n = 0 }

// Dropped gives back what a large object took.
func (a *answer) Dropped() {
	a.n, a.held = 0, freeAnswer
	a.share.keep(answers, 0)
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p[:min(len(p), answerPiece)])
	if a.n += n; a.n <= a.held {
		return n, err
	}
	for a.held < a.n {
		a.held *= 2
	}
	if err := a.share.hold(a.ctx, a.held); err != nil {
		return 0, err
	}
	return n, err
}

// hold takes what is missing to n bytes for answers.
func (s *Share) hold(ctx context.Context, n int) error {
	s.mu.Lock()
	n -= s.taken[answers]
	s.mu.Unlock()
	if n <= 0 {
		return nil
	}
	return s.take(ctx, answers, n)
}
