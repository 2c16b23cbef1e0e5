package policy

import (
	"encoding/json"
	"errors"
	"io"

	"sockguard/rewrite/rawjson"
)

// An event is what of an engine event tells whose it is.
type event struct {
	Type   string
	Action string
	Actor  struct {
		ID         string
		Attributes map[string]string
	}
}

// events decides GET /events. The engine's own label filter drops every volume
// and network event, so the stream is asked for whole and each event checked.
func events(c *call) error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	c.out.Response = func(dst io.Writer, src io.Reader) error {
		return rawjson.FilterStream(dst, src, rawjson.Keep(func(item []byte) (bool, error) {
			var e event
			if err := json.Unmarshal(item, &e); err != nil {
				return false, err
			}
			return c.ownEvent(&e), nil
		}))
	}
	return c.setFilters(f)
}

// ownEvent reports whether an event is about something of the owner's. What
// cannot be attributed (a prune, the daemon, a pull of a shared image) is
// nobody's and not shown.
func (c *call) ownEvent(e *event) bool {
	if owner, labelled := e.Actor.Attributes[c.LabelKey]; labelled && (e.Type == "container" || e.Type == "image") {
		return owner == c.Owner
	}
	switch e.Type {
	case "image":
		return c.known(Image, e.Actor.ID)
	case "network", "volume":
		if container := e.Actor.Attributes["container"]; container != "" && c.known(Container, container) {
			return true
		}
		return c.known(Kind(e.Type), e.Actor.ID)
	case "service", "secret", "config":
		return c.Swarm && c.known(Kind(e.Type), e.Actor.ID)
	}
	return false
}

// known reports whether an object, which may just have gone, is or was the
// owner's.
func (c *call) known(kind Kind, id string) bool {
	if id == "" {
		return false
	}
	o, err := c.inspector.Inspect(c.ctx, kind, id)
	if errors.Is(err, ErrNotFound) {
		o, _ = c.inspector.Last(kind, id)
	}
	return c.owns(o.Labels)
}
