// Package scrub removes the names and IDs of what is not the owner's from the errors
// of an engine: of the container that has a name or an image, of the network that has
// a subnet, of the service that has a port.
package scrub

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"sockguard/policy/verdict"
)

// The texts are those of Engine 20.10 to 29.
var (
	// objectID matches a full or a short ID, also as the digest of an image or in the
	// name of a bridge, and the ID of an object of a swarm.
	objectID = regexp.MustCompile(`\b(?:sha256:|br-)?(?:[0-9a-f]{64}|[0-9a-f]{12})\b|\b[0-9a-z]{25}\b`)
	// portHolder matches how a swarm names the service that has a port.
	portHolder = regexp.MustCompile(`service '[^']*' \(([0-9a-z]+)\)`)
	// endpoint matches how a network names a container that is in it.
	endpoint = regexp.MustCompile(`name:"([^"]*)" id:"[0-9a-f]*"`)
)

// maxIDs bounds how many IDs of one message are looked up.
const maxIDs = 32

// A Scrubber knows whose objects are named. It asks the Inspector about IDs.
type Scrubber struct {
	Policy    *verdict.Policy
	Inspector verdict.Inspector
}

// Text returns a message without the names and IDs of others.
func (s Scrubber) Text(ctx context.Context, message string) string {
	message = portHolder.ReplaceAllStringFunc(message, func(holder string) string {
		if s.mine(ctx, verdict.Service, portHolder.FindStringSubmatch(holder)[1]) {
			return holder
		}
		return "a service of another owner"
	})
	message = endpoint.ReplaceAllStringFunc(message, func(e string) string {
		if s.mine(ctx, verdict.Container, endpoint.FindStringSubmatch(e)[1]) {
			return e
		}
		return "a container of another owner"
	})
	foreign := map[string]bool{}
	return objectID.ReplaceAllStringFunc(message, func(id string) string {
		if _, known := foreign[id]; !known {
			foreign[id] = len(foreign) >= maxIDs || s.foreign(ctx, strings.TrimPrefix(id, "br-"))
		}
		if foreign[id] {
			return "of another owner"
		}
		return id
	})
}

func (s Scrubber) mine(ctx context.Context, kind verdict.Kind, ref string) bool {
	o, err := s.Inspector.Inspect(ctx, kind, ref)
	return err == nil && s.Policy.Owns(o.Labels)
}

// foreign reports whether an ID is that of an object that the owner does not see, or
// may be. Other IDs, of an endpoint or a layer, tell nothing.
func (s Scrubber) foreign(ctx context.Context, id string) bool {
	kinds := []verdict.Kind{verdict.Container, verdict.Network, verdict.Image, verdict.Volume}
	switch {
	case strings.HasPrefix(id, "sha256:"):
		kinds = []verdict.Kind{verdict.Image}
	case len(id) == 25 && !s.Policy.Swarm:
		return false
	case len(id) == 25:
		kinds = []verdict.Kind{verdict.Network, verdict.Service, verdict.Task, verdict.Secret, verdict.Config}
	}
	for _, kind := range kinds {
		switch o, err := s.Inspector.Inspect(ctx, kind, id); {
		case err == nil && kind == verdict.Task:
			return !s.mine(ctx, verdict.Service, o.Parent)
		case err == nil:
			return !s.Policy.Usable(kind, o)
		case !errors.Is(err, verdict.ErrNotFound):
			return true
		}
	}
	return false
}
