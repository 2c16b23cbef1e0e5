package engine

import (
	"context"
	"errors"
	"net/http"

	"sockguard/policy/verdict"
)

// Settled returns the container that was found by a name before, if it exists. A
// name is looked up again only when that container is gone.
func (c *Client) Settled(ctx context.Context, name string, accept func(verdict.Object) error) (verdict.Object, error) {
	if id, ok := c.settled.Load(name); ok {
		o, err := c.fresh(ctx, id.(string))
		if !errors.Is(err, verdict.ErrNotFound) {
			return o, err
		}
	}
	o, err := c.Inspect(ctx, verdict.Container, name)
	if err == nil {
		err = accept(o)
	}
	if err == nil {
		c.settled.Store(name, o.ID)
	}
	return o, err
}

// fresh inspects a container by its ID, past the cache: it may be gone.
func (c *Client) fresh(ctx context.Context, id string) (verdict.Object, error) {
	_, text, err := c.ask(ctx, verdict.EngineCall{Method: http.MethodGet, Path: inspectPath(verdict.Container, id)})
	if err != nil {
		return verdict.Object{}, err
	}
	return c.object(callerOf(ctx), verdict.Container, text)
}
