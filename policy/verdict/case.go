package verdict

import (
	"context"
	"errors"
	"fmt"

	"sockguard/rewrite"
)

// A Case is one request on its way to a decision.
type Case struct {
	*Policy
	*Request
	Ctx       context.Context
	Inspector Inspector
	Engine    rewrite.EngineVersion
	Out       *Decision // what is decided so far
}

// Find inspects ref. A missing object is a 404 in the engine's words. Any other
// failure refuses the request: without an answer there is no permission.
func (c *Case) Find(kind Kind, ref string) (Object, error) {
	if ref == "" {
		return Object{}, NoName(kind)
	}
	o, err := c.Inspector.Inspect(c.Ctx, kind, ref)
	return o, c.Inspected(kind, ref, err)
}

// Inspected turns an error of the Inspector into the answer to the client.
func (c *Case) Inspected(kind Kind, ref string, err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return c.NotFound(kind, ref, "")
	case err != nil:
		return fmt.Errorf("inspect %s: %w", kind, err)
	}
	return nil
}

// Lookup is Find for an object that need not exist.
func (c *Case) Lookup(kind Kind, ref string) (o Object, found bool, err error) {
	o, err = c.Find(kind, ref)
	if IsMissing(err) {
		return o, false, nil
	}
	return o, err == nil, err
}

// parents are the kinds whose objects have the owner of another object.
var parents = map[Kind]Kind{Exec: Container, Task: Service}

// Own resolves ref to an object of the owner. A foreign or unlabelled object is
// answered like a missing one.
func (c *Case) Own(kind Kind, ref string) (Object, error) {
	o, err := c.Find(kind, ref)
	if err != nil {
		return o, err
	}
	if parent, ok := parents[kind]; ok {
		if _, err := c.Own(parent, o.Parent); err != nil {
			return o, c.NotFound(kind, ref, fmt.Sprintf("the %s of %s %s is not %s's", parent, kind, ref, c.Owner))
		}
		return o, nil
	}
	if !c.Owns(o.Labels) {
		return o, c.foreign(kind, ref, o)
	}
	return o, nil
}

// OwnNamed resolves the object that the path names to one of the owner, and puts
// its full ID into the path to forward.
func (c *Case) OwnNamed(kind Kind) (Object, error) {
	o, err := c.Own(kind, c.Request.Name)
	c.Out.Name = o.ID
	return o, err
}

// Use resolves ref to an image or network that may be used and read.
func (c *Case) Use(kind Kind, ref string) (Object, error) {
	o, err := c.Find(kind, ref)
	if err != nil {
		return o, err
	}
	return o, c.MustUse(kind, ref, o)
}

// MustUse answers like [Case.Find] for a missing object if o, which ref was
// resolved to, is not usable.
func (c *Case) MustUse(kind Kind, ref string, o Object) error {
	if c.Usable(kind, o) {
		return nil
	}
	return c.foreign(kind, ref, o)
}

// Operator finds a container of the operator's by its name or ID. A client may take
// the name of one that is gone, so a container with an owner is not taken for it.
func (c *Case) Operator(ref string) (Object, error) {
	accept := func(o Object) error {
		if owner, labelled := o.Labels[c.LabelKey]; labelled {
			return fmt.Errorf("it belongs to the owner %q: %w", owner, ErrNotFound)
		}
		return nil
	}
	o, err := c.Inspector.Settled(c.Ctx, ref, accept)
	if errors.Is(err, ErrNotFound) {
		return o, &Denied{
			Status: StatusForbidden, Rule: "link", Truth: fmt.Sprintf("the operator's container %s: %v", ref, err),
			Message: "the container " + ref + ", which the operator joins to networks and containers of this socket, is not there; ask the operator to start it",
		}
	}
	return o, err
}

// NotFound answers as the engine does for a missing object, whether the object is
// missing or another owner's. Truth is the reason for the operator's log, "" if
// the object really is missing.
func (c *Case) NotFound(kind Kind, ref, truth string) error {
	text, err := c.Inspector.Missing(c.Ctx, kind, ref)
	if err != nil {
		return fmt.Errorf("ask for a missing %s: %w", kind, err)
	}
	return &Denied{Status: StatusNotFound, Rule: "owner", Message: text, Truth: truth}
}

func (c *Case) foreign(kind Kind, ref string, o Object) error {
	return c.NotFound(kind, ref, c.Foreign(kind, ref, o))
}
