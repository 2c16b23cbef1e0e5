package verdict

import (
	"context"
	"errors"

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

	// The kinds of a swarm.
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
	OnBuild []string // ONBUILD triggers of an image
}

// A Bind is a host path that a container mounts.
type Bind struct {
	Source   string
	ReadOnly bool
}

// ErrNotFound is in the chain of an Inspector's error when the engine answers
// 404.
var ErrNotFound = errors.New("not found")

// An Inspector asks the engine about objects.
type Inspector interface {
	Builder
	// Inspect finds an object by whatever a client calls it: full ID, name, or
	// unique prefix of an ID.
	Inspect(ctx context.Context, kind Kind, ref string) (Object, error)
	// Images lists the images that have a tag in the repository.
	Images(ctx context.Context, repository string) ([]Object, error)
	// List passes every object of a kind that matches the filters to each, as
	// the engine's list shows it.
	List(ctx context.Context, kind Kind, filters rawjson.Filters, each func(item []byte) error) error
	// Last is what was last seen of an object that may be gone by now. It is
	// good for showing answers, never for permissions.
	Last(kind Kind, id string) (Object, bool)
	// Missing is the engine's own text for an object that does not exist.
	Missing(ctx context.Context, kind Kind, ref string) (string, error)
}

// A Builder does what sockguard needs of the engine ahead of a build.
type Builder interface {
	// Base inspects an image as a build for the platform sees it; "" is the
	// platform of the engine's choice.
	Base(ctx context.Context, ref, platform string) (Object, error)
	// Pull pulls an image with the credentials of the request that ctx belongs to.
	Pull(ctx context.Context, ref, platform string) error
	// Twin returns the ID of an image that is base with labels besides its own.
	Twin(ctx context.Context, base Object, platform string, labels map[string]string) (string, error)
}

// BuiltinNetwork reports whether the engine made the network itself. The names
// are reserved: nobody can create another network of these names.
func BuiltinNetwork(name string) bool {
	return name == "bridge" || name == "host" || name == "none"
}

// ValidName reports whether s is what engines accept as the name of a volume, a
// network or a service: no path, no reference, nothing to escape.
func ValidName(s string) bool {
	for i, r := range []byte(s) {
		alnum := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !alnum && (i == 0 || r != '_' && r != '.' && r != '-') {
			return false
		}
	}
	return s != ""
}
