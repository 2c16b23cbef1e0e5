package intake

import (
	"context"
	"io"
)

// freeAnswer is how much of an answer takes no room.
const freeAnswer = 256 << 10

// answerPiece is how much of an answer is read at once, at most. So little is held
// beyond the object at hand.
const answerPiece = 64 << 10

// An answer takes room for the object of an engine's list or stream that is being read.
type answer struct {
	io.ReadCloser
	ctx   context.Context
	share *Share
	n     int // bytes since the last object
	held  int // bytes that n may have
}

// List returns an engine's answer that is read object by object. Its method Next tells
// that one has been read, and Dropped that no memory is held for a large one any more.
func (s *Share) List(ctx context.Context, body io.ReadCloser) io.ReadCloser {
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
	if a.n += n; a.n > a.held {
		a.held *= 2
		if err := a.share.Answer(a.ctx, a.held); err != nil {
			return 0, err
		}
	}
	return n, err
}
