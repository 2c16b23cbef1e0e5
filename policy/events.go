package policy

import (
	"encoding/json"
	"errors"
	"io"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// An event is what the owner of an engine's event can be told by.
type event struct {
	Type   string
	Action string
	Actor  struct {
		ID         string
		Attributes map[string]string
	}
}

// events decides GET /events. The engine's own label filter drops every volume
// and network event, so all events are asked for and each one is checked.
func events(c *verdict.Case) error {
	c.Out.Response = func(dst io.Writer, src io.Reader) error {
		return rawjson.FilterStream(dst, src, rawjson.Keep(func(item []byte) (bool, error) {
			var e event
			if err := json.Unmarshal(item, &e); err != nil {
				return false, err
			}
			return ownEvent(c, &e), nil
		}))
	}
	return c.CheckFilters()
}

// ownEvent reports whether every object that an event names is the owner's, or a
// network that all share. An event that has no owner (a prune, the daemon, a pull of a
// shared image) is not shown.
func ownEvent(c *verdict.Case, e *event) bool {
	if owner, labelled := e.Actor.Attributes[c.LabelKey]; labelled && (e.Type == "container" || e.Type == "image") {
		return owner == c.Owner
	}
	switch kind := verdict.Kind(e.Type); kind {
	case verdict.Image:
		return c.Owns(known(c, kind, e.Actor.ID).Labels)
	case verdict.Network, verdict.Volume:
		o, container := known(c, kind, e.Actor.ID), e.Actor.Attributes["container"]
		if container == "" {
			return c.Owns(o.Labels)
		}
		return c.Usable(kind, o) && c.Owns(known(c, verdict.Container, container).Labels)
	case verdict.Service, verdict.Secret, verdict.Config:
		return c.Swarm && c.Owns(known(c, kind, e.Actor.ID).Labels)
	}
	return false
}

// known returns an object as it is, or as it was when it was last seen; a zero one if
// it never was.
func known(c *verdict.Case, kind verdict.Kind, id string) (o verdict.Object) {
	if id == "" {
		return o
	}
	o, err := c.Inspector.Inspect(c.Ctx, kind, id)
	if errors.Is(err, verdict.ErrNotFound) {
		o, _ = c.Inspector.Last(kind, id)
	}
	return o
}
