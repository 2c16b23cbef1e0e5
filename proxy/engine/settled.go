package engine

import (
	"context"
	"errors"

	"sockguard/policy/verdict"
)

// Settled returns the container that was found by a name before, if it exists. A
// name is looked up again only when that container is gone.
func (c *Client) Settled(ctx context.Context, name string, accept func(verdict.Object) error) (verdict.Object, error) {
	if id, ok := c.settled.Load(name); ok {
		o, err := c.lookUp(ctx, verdict.Container, id.(string)) // past the cache
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
