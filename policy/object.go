package policy

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sockguard/rewrite/rawjson"
)

// A Kind is a sort of object that the engine keeps.
type Kind string

// The kinds whose owners are known.
const (
	Container Kind = "container"
	Exec      Kind = "exec"
	Image     Kind = "image"
	Network   Kind = "network"
	Volume    Kind = "volume"

	// Those of a swarm.
	Service Kind = "service"
	Task    Kind = "task"
	Secret  Kind = "secret"
	Config  Kind = "config"
	Node    Kind = "node"
)

// An Object is what the engine says of one thing.
type Object struct {
	ID     string // full ID; the name of a volume
	Name   string // name of a container (without "/"), network, volume or service
	Labels map[string]string
	Tags   []string // RepoTags and RepoDigests of an image
	Parent string   // container ID of an exec, service ID of a task

	Platform string // of an image: "linux/arm64/v8"

	Binds   []Bind   // host paths that a container mounts
	Volumes []string // mount points that an image declares with VOLUME, or a container has
	OnBuild []string // triggers of an image
}

// A Bind is a host path that a container mounts.
type Bind struct {
	Source   string
	ReadOnly bool
}

// ErrNotFound is in the chain of an Inspector's error when the engine answers
// 404.
var ErrNotFound = errors.New("not found")

// An Inspector asks the engine for one object, by whatever the client called
// it: full ID, name, or unique prefix of an ID.
type Inspector interface {
	Builder
	Inspect(ctx context.Context, kind Kind, ref string) (Object, error)
	// Images lists the images that have a tag in the repository.
	Images(ctx context.Context, repository string) ([]Object, error)
	// List hands over every object of a kind that passes the filters, as the
	// engine's list shows it.
	List(ctx context.Context, kind Kind, filters rawjson.Filters, each func(item []byte) error) error
	// Last is what was last seen of an object that may be gone by now. It
	// serves answers, never permissions.
	Last(kind Kind, id string) (Object, bool)
	// Missing is the engine's own text for an object that does not exist.
	Missing(ctx context.Context, kind Kind, ref string) (string, error)
}

// notFound answers like the engine does for a missing object, whether it is
// missing or not: the text is made in the same way. Truth is why, for the
// operator; "" when the object really is missing.
func (c *call) notFound(kind Kind, ref, truth string) error {
	text, err := c.inspector.Missing(c.ctx, kind, ref)
	if err != nil {
		return fmt.Errorf("ask for a missing %s: %w", kind, err)
	}
	return &Denied{Status: http.StatusNotFound, Rule: "owner", Message: text, Truth: truth}
}

// find inspects ref. A missing object is a 404 with the engine's words, any
// other failure refuses the request: no answer, no permission.
func (c *call) find(kind Kind, ref string) (Object, error) {
	if ref == "" {
		return Object{}, bad("name", "empty %s name: nothing is named; give a name or an ID", kind)
	}
	o, err := c.inspector.Inspect(c.ctx, kind, ref)
	if errors.Is(err, ErrNotFound) {
		return Object{}, c.notFound(kind, ref, "")
	}
	if err != nil {
		return Object{}, fmt.Errorf("inspect %s: %w", kind, err)
	}
	return o, nil
}

// parents are the kinds whose objects belong to the owner of another one.
var parents = map[Kind]Kind{Exec: Container, Task: Service}

// own resolves ref to an object of the owner; a foreign or unlabelled one is
// missing.
func (c *call) own(kind Kind, ref string) (Object, error) {
	o, err := c.find(kind, ref)
	if err != nil {
		return o, err
	}
	if parent, ok := parents[kind]; ok {
		if _, err := c.own(parent, o.Parent); err != nil {
			return o, c.notFound(kind, ref, fmt.Sprintf("%s %s is of a %s that is not %s's", kind, ref, parent, c.Owner))
		}
		return o, nil
	}
	if !c.owns(o.Labels) {
		return o, c.notFound(kind, ref, c.foreign(kind, ref, o))
	}
	return o, nil
}

// use resolves ref to an image or network that may be used and read: an own
// one, an unlabelled image, a built-in network.
func (c *call) use(kind Kind, ref string) (Object, error) {
	o, err := c.find(kind, ref)
	if err != nil || c.owns(o.Labels) || c.shared(kind, o) {
		return o, err
	}
	return o, c.notFound(kind, ref, c.foreign(kind, ref, o))
}

func (c *call) foreign(kind Kind, ref string, o Object) string {
	if owner, ok := o.Labels[c.LabelKey]; ok {
		return fmt.Sprintf("%s %s belongs to %q, not to %q", kind, ref, owner, c.Owner)
	}
	return fmt.Sprintf("%s %s has no owner label", kind, ref)
}

// owns reports whether labels carry the owner label of this guard.
func (p *Policy) owns(labels map[string]string) bool {
	v, ok := labels[p.LabelKey]
	return ok && v == p.Owner
}

// shared reports whether an object that is nobody's may be used by everybody.
func (p *Policy) shared(kind Kind, o Object) bool {
	if _, labelled := o.Labels[p.LabelKey]; labelled {
		return false
	}
	switch kind {
	case Image:
		return true
	case Network:
		return builtinNetwork(o.Name)
	}
	return false
}

// builtinNetwork reports whether the engine made the network itself. The names
// are reserved: nobody can create another network of these names.
func builtinNetwork(name string) bool {
	return name == "bridge" || name == "host" || name == "none"
}
