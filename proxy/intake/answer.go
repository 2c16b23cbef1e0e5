package intake

import (
	"context"
	"io"
)

// freeAnswer is how much of an answer takes nothing of the budget.
const freeAnswer = 256 << 10

// An answer takes memory for the object of an engine's list or stream that is being read.
type answer struct {
	io.ReadCloser
	ctx   context.Context
	share *Share
	n     int // bytes since the last object
	held  int // bytes that n may have
}

// List returns an engine's answer that is read object by object. Its method Next tells
// that one has been read.
func (s *Share) List(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	return &answer{body, ctx, s, 0, freeAnswer}
}

// Next tells that an object has been read.
func (a *answer) Next() { a.n = 0 }

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if a.n += n; a.n > a.held {
		a.held *= 2
		if err := a.share.Answer(a.ctx, a.held); err != nil {
			return 0, err
		}
	}
	return n, err
}
