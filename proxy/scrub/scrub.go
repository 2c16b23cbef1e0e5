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

// maxLookups bounds how many names and IDs of one message are looked up. The others
// are hidden.
const maxLookups = 32

// hidden stands for an ID.
const hidden = "[hidden]"

// A scrubber scrubs one message.
type scrubber struct {
	ctx       context.Context
	policy    *verdict.Policy
	inspector verdict.Inspector
	shows     map[string]bool // what was looked up, by its text in the message
}

// Text returns a message without the names and IDs of others. It asks the inspector
// whose they are.
func Text(ctx context.Context, p *verdict.Policy, in verdict.Inspector, message string) string {
	s := scrubber{ctx, p, in, map[string]bool{}}
	message = s.replace(message, portHolder, "a service of another owner", func(id string) bool { return s.mine(verdict.Service, id) })
	message = s.replace(message, endpoint, "a container of another owner", func(name string) bool { return s.mine(verdict.Container, name) })
	return s.replace(message, objectID, hidden, s.showsID)
}

// replace writes by in place of the matches of form that are not shown. Show gets the
// name or ID in a match: its last group.
func (s *scrubber) replace(message string, form *regexp.Regexp, by string, show func(ref string) bool) string {
	return form.ReplaceAllStringFunc(message, func(text string) string {
		if _, known := s.shows[text]; !known {
			m := form.FindStringSubmatch(text)
			s.shows[text] = len(s.shows) < maxLookups && show(m[len(m)-1])
		}
		if s.shows[text] {
			return text
		}
		return by
	})
}

func (s *scrubber) mine(kind verdict.Kind, ref string) bool {
	o, err := s.inspector.Inspect(s.ctx, kind, ref)
	return err == nil && s.policy.Owns(o.Labels)
}

// showsID reports whether an ID is that of an object that the owner sees, or no
// object's: a digest in a repository. One that leads to nothing is not shown.
func (s *scrubber) showsID(id string) bool {
	id = strings.TrimPrefix(id, "br-")
	kinds := []verdict.Kind{verdict.Container, verdict.Network, verdict.Image, verdict.Volume}
	switch {
	case id[0] == '@', id[0] == '/', len(id) == 25 && !s.policy.Swarm:
		return true
	case strings.HasPrefix(id, "sha256:"):
		kinds = []verdict.Kind{verdict.Image}
	case len(id) == 25:
		kinds = []verdict.Kind{verdict.Network, verdict.Service, verdict.Task, verdict.Secret, verdict.Config}
	}
	for _, kind := range kinds {
		switch o, err := s.inspector.Inspect(s.ctx, kind, id); {
		case err == nil && kind == verdict.Task:
			return s.mine(verdict.Service, o.Parent)
		case err == nil:
			return s.policy.Usable(kind, o)
		case !errors.Is(err, verdict.ErrNotFound):
			return false
		}
	}
	return false
}
