package verdict

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"strings"

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

// An Object is what the engine tells about one of its objects.
type Object struct {
	ID     string // full ID; the name of a volume
	Name   string // name of a container (without "/"), network, volume or service
	Labels map[string]string
	Tags   []string // RepoTags and RepoDigests of an image
	Parent string   // container ID of an exec, image ID of a container, service ID of a task

	Platform string // of an image: "linux/arm64/v8"

	Binds   []Bind   // host paths that a container mounts
	Volumes []string // mount points that an image declares with VOLUME, or a container has
	Mounted []string // volumes that a container mounts
	OnBuild []string // ONBUILD triggers of an image
	Exposed int      // ports that an image declares with EXPOSE
}

// A Bind is a host path that a container mounts.
type Bind struct {
	Source   string
	ReadOnly bool
}

// ErrNotFound is in the chain of an Inspector's error when the engine answers
// 404.
var ErrNotFound = errors.New("not found")

// ErrNoRoom is in the chain of an Inspector's error when a ceiling is reached.
var ErrNoRoom = errors.New("no room")

// An Inspector asks the engine about objects.
type Inspector interface {
	Builder
	// Inspect finds an object by whatever a client calls it: full ID, name, or
	// unique prefix of an ID.
	Inspect(ctx context.Context, kind Kind, ref string) (Object, error)
	// Images lists the images that have a tag in the repository.
	Images(ctx context.Context, repository string) ([]Object, error)
	// ImageLabels returns the labels of all platforms of an image, of which a list
	// shows some.
	ImageLabels(ctx context.Context, id string, listed map[string]string) (map[string]string, error)
	// List calls each with every object of a kind that matches the filters, as the
	// engine's list shows it.
	List(ctx context.Context, kind Kind, filters rawjson.Filters, each func(item []byte) error) error
	// Settled returns the container that was found by a name, for as long as it
	// exists. When none was, or it is gone, it finds the one of that name now, which
	// accept may refuse.
	Settled(ctx context.Context, name string, accept func(Object) error) (Object, error)
	// AddressPools returns where the engine takes the subnets of new networks from.
	AddressPools(ctx context.Context) ([]netip.Prefix, error)
	// Reserve keeps room for want more objects of a kind until release is called. Count
	// returns how many there are. ErrNoRoom is the answer if that would be more than
	// the ceiling, whatever becomes of the room that others have reserved.
	Reserve(ctx context.Context, kind Kind, want, ceiling int, count func() (int, error)) (release func(), err error)
	// Last returns an object as it was seen last. It may not exist any more, so
	// Last is for filtering answers, never for permissions.
	Last(kind Kind, id string) (Object, bool)
	// Missing returns the engine's error message for an object that does not exist.
	Missing(ctx context.Context, kind Kind, ref string) (string, error)
}

// A Builder prepares the base images of a build on the engine.
type Builder interface {
	// Base inspects an image as a build for the platform does. "" is the engine's
	// default platform.
	Base(ctx context.Context, ref, platform string) (Object, error)
	// Manifest asks a registry about an image, with the credentials of the request
	// that ctx belongs to. If the registry refuses, the digest is that of no image.
	Manifest(ctx context.Context, ref string) (Manifest, error)
	// Pull pulls an image by its digest, with the same credentials.
	Pull(ctx context.Context, p *Pulled, platform string) error
	// Name gives a name to an image, if may allows it at that moment.
	Name(ctx context.Context, ref string, o Object, may func(ref string, o Object) error) error
	// Twin returns the ID of an image that differs from the image base.ID by
	// additional labels, and has the triggers of base.
	Twin(ctx context.Context, base Object, platform string, labels map[string]string) (string, error)
}

// BuiltinNetwork reports whether name is a network that every engine has. Engines
// refuse to create another network of that name.
func BuiltinNetwork(name string) bool {
	return name == "bridge" || name == "host" || name == "none"
}

// validName is what engines accept as the name of a volume, a network or a
// service: no path, no reference, nothing to escape.
var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// CheckName refuses what is no name for a volume, a network or a service.
func CheckName(kind Kind, path, name string) error {
	if validName.MatchString(name) {
		return nil
	}
	return Bad(string(kind), "%s %s: it is no name for a %s; use letters, digits, and _ . - after the first", path, Quoted(name), kind)
}

// fullID is the form of the IDs of containers, networks and images.
var fullID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// CheckNotID refuses a new name that could be the ID of another object: some
// look-ups of engines prefer the name.
func CheckNotID(kind Kind, name string) error {
	if fullID.MatchString(strings.TrimPrefix(name, "/")) {
		return Bad(string(kind), "name %s of a %s: it may be the ID of another one; choose a shorter name", name, kind)
	}
	return nil
}

// PinnedRef returns ref, which leads to image o, in a form that engines cannot take for
// the ID of another image: a part of an ID is completed, a tag that looks like one is
// written with ":latest", any other name stays. Engines look a bare name up as a tag
// first, and as the beginning of an ID next. The tag may be removed meanwhile.
func PinnedRef(ref string, o Object) string {
	switch {
	case strings.HasPrefix(strings.TrimPrefix(o.ID, "sha256:"), strings.TrimPrefix(ref, "sha256:")):
		return o.ID
	case strings.Trim(ref, "0123456789abcdef") == "":
		return ref + ":latest"
	}
	return ref
}
