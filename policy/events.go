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

// ownEvent reports whether an event is about an object of the owner's. An event
// that has no owner (a prune, the daemon, a pull of a shared image) is not shown.
func ownEvent(c *verdict.Case, e *event) bool {
	if owner, labelled := e.Actor.Attributes[c.LabelKey]; labelled && (e.Type == "container" || e.Type == "image") {
		return owner == c.Owner
	}
	switch e.Type {
	case "image":
		return known(c, verdict.Image, e.Actor.ID)
	case "network", "volume":
		if container := e.Actor.Attributes["container"]; container != "" && known(c, verdict.Container, container) {
			return true
		}
		return known(c, verdict.Kind(e.Type), e.Actor.ID)
	case "service", "secret", "config":
		return c.Swarm && known(c, verdict.Kind(e.Type), e.Actor.ID)
	}
	return false
}

// known reports whether an object is the owner's, or was when it was last seen.
func known(c *verdict.Case, kind verdict.Kind, id string) bool {
	if id == "" {
		return false
	}
	o, err := c.Inspector.Inspect(c.Ctx, kind, id)
	if errors.Is(err, verdict.ErrNotFound) {
		o, _ = c.Inspector.Last(kind, id)
	}
	return c.Owns(o.Labels)
}
