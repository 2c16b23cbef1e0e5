package engine

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/distribution/reference"

	"sockguard/policy/verdict"
)

// naming has the names that are being given, by any guard of the process: nothing may
// happen to a name between the look at what it means and the change. An owner can make
// that look last, so nobody waits for another name.
var naming nameLocks

// nameLocks has a channel for each name that is locked, closed when it is not any more.
type nameLocks struct {
	mu     sync.Mutex
	locked map[string]chan struct{}
}

// lock waits until a name is free and locks it, until unlock is called.
func (l *nameLocks) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		busy, unlock := l.try(name)
		if busy == nil {
			return unlock, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try locks a name, or returns what to wait for.
func (l *nameLocks) try(name string) (busy <-chan struct{}, unlock func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if busy := l.locked[name]; busy != nil {
		return busy, nil
	}
	if l.locked == nil {
		l.locked = map[string]chan struct{}{}
	}
	done := make(chan struct{})
	l.locked[name] = done
	return nil, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.locked, name)
		close(done)
	}
}

// Name gives a name to image o, by its ID, if may allows it. This is the only place
// from which a name that a client chose is given. The call is not cut when the client
// leaves: the engine could then give the name when the next one looks at it.
func (c *Client) Name(ctx context.Context, ref string, o verdict.Object, may func(ref string, o verdict.Object) error) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return &Error{http.StatusBadRequest, err.Error()}
	}
	named = reference.TagNameOnly(named)
	query := url.Values{"repo": {named.Name()}}
	if tagged, ok := named.(reference.Tagged); ok {
		query.Set("tag", tagged.Tag())
	}
	unlock, err := naming.lock(ctx, named.String())
	if err != nil {
		return err
	}
	defer unlock()
	if err := may(ref, o); err != nil {
		return err
	}
	return c.do(context.WithoutCancel(ctx), verdict.EngineCall{
		Method: http.MethodPost, Path: c.versioned("/images/" + o.ID + "/tag"), Query: query,
	}, nil)
}
