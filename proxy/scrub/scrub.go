// Package scrub removes the names and IDs of what is not the owner's from the errors
// of an engine: of the container that has a name or an image, of the network that has
// a subnet, of the service that has a port.
//
// A client can make an engine repeat in an error what it sent. So an ID of a foreign
// object is hidden like one of no object: who guesses an ID does not learn from the
// answer that it exists.
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
	// name of a bridge, and the ID of an object of a swarm. It also matches digests in
	// a repository, which begin with a @ or a slash.
	objectID = regexp.MustCompile(`[@/]sha256:[0-9a-f]{64}\b|\b(?:sha256:|br-)?(?:[0-9a-f]{64}|[0-9a-f]{12})\b|\b[0-9a-z]{25}\b`)
	// portHolder matches how a swarm names the service that has a port.
	portHolder = regexp.MustCompile(`service '[^']*' \(([0-9a-z]+)\)`)
	// endpoint matches how a network names a container that is in it.
	endpoint = regexp.MustCompile(`name:"([^"]*)" id:"[0-9a-f]*"`)
)

// maxAsked bounds how many objects of one message are looked up.
const maxAsked = 32

// hidden stands for an ID.
const hidden = "[hidden]"

// A Scrubber knows whose objects are named. It asks the Inspector about IDs.
type Scrubber struct {
	Policy    *verdict.Policy
	Inspector verdict.Inspector
}

// Text returns a message without the names and IDs of others.
func (s Scrubber) Text(ctx context.Context, message string) string {
	seen := map[string]bool{}
	see := func(key string, look func() bool) bool {
		known, ok := seen[key]
		if !ok && len(seen) < maxAsked {
			known = look()
			seen[key] = known
		}
		return known
	}
	message = portHolder.ReplaceAllStringFunc(message, func(holder string) string {
		id := portHolder.FindStringSubmatch(holder)[1]
		if see("service "+id, func() bool { return s.mine(ctx, verdict.Service, id) }) {
			return holder
		}
		return "a service of another owner"
	})
	message = endpoint.ReplaceAllStringFunc(message, func(e string) string {
		name := endpoint.FindStringSubmatch(e)[1]
		if see("container "+name, func() bool { return s.mine(ctx, verdict.Container, name) }) {
			return e
		}
		return "a container of another owner"
	})
	return objectID.ReplaceAllStringFunc(message, func(id string) string {
		switch {
		case id[0] == '@' || id[0] == '/', len(id) == 25 && !s.Policy.Swarm:
			return id
		case see(id, func() bool { return s.shown(ctx, strings.TrimPrefix(id, "br-")) }):
			return id
		}
		return hidden
	})
}

func (s Scrubber) mine(ctx context.Context, kind verdict.Kind, ref string) bool {
	o, err := s.Inspector.Inspect(ctx, kind, ref)
	return err == nil && s.Policy.Owns(o.Labels)
}

// shown reports whether an ID is that of an object that the owner sees. One that is
// that of no object is not shown either.
func (s Scrubber) shown(ctx context.Context, id string) bool {
	kinds := []verdict.Kind{verdict.Container, verdict.Network, verdict.Image, verdict.Volume}
	switch {
	case strings.HasPrefix(id, "sha256:"):
		kinds = []verdict.Kind{verdict.Image}
	case len(id) == 25:
		kinds = []verdict.Kind{verdict.Network, verdict.Service, verdict.Task, verdict.Secret, verdict.Config}
	}
	for _, kind := range kinds {
		switch o, err := s.Inspector.Inspect(ctx, kind, id); {
		case err == nil && kind == verdict.Task:
			return s.mine(ctx, verdict.Service, o.Parent)
		case err == nil:
			return s.Policy.Usable(kind, o)
		case !errors.Is(err, verdict.ErrNotFound):
			return false
		}
	}
	return false
}
