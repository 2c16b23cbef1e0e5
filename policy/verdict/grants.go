package verdict

import (
	"net/netip"
	"slices"
)

// Grants are what an operator opens to the clients of one socket, and the
// ceilings put on them. The zero value opens nothing but published ports from
// 1024 up, and limits nothing.
type Grants struct {
	// HostNetwork permits network mode "host", of containers and builds.
	HostNetwork bool
	// Binds are the host paths that containers may mount.
	Binds []BindGrant
	// Readlink, usually os.Readlink, is how sockguard sees where symlinks in host
	// paths lead. It must see the host's files at the host's paths. nil judges
	// paths as they are written.
	Readlink func(path string) (string, error)
	// Capabilities may be added beyond Docker's default set: "NET_ADMIN", "ALL".
	Capabilities []string
	// Devices are host paths, /dev/fuse, that containers may open as devices.
	Devices []string
	// GPUs permits docker run --gpus.
	GPUs bool
	// Sysctls may be set in containers, besides those that are safe anywhere. With
	// the host's network, none of the network's may be set.
	Sysctls []string
	// SecurityOpts are permitted to the letter: "seccomp=unconfined".
	SecurityOpts []string
	// Runtimes are the OCI runtimes that may be chosen by name.
	Runtimes []string
	// PublishedPorts are the host ports that containers may publish. nil is 1024
	// and up. Ports that the engine chooses always pass.
	PublishedPorts []PortRange
	// Subnets are where networks may have addresses besides the engine's own pools.
	Subnets []netip.Prefix
	// HostRoutes returns where the engine's host has routes to, as far as sockguard sees
	// them: networks get none of these addresses unless Subnets has them. nil sees none.
	HostRoutes func() ([]netip.Prefix, error)
	// Registries are the registry hosts that images may come from and go to; nil
	// is any.
	Registries []string
	// TagPatterns match the repositories in which an owner may give names to images,
	// as path.Match does: "team-a/*". nil is any. Pulls are not bound by it.
	TagPatterns []string
	// Remotes are where sockguard may fetch build contexts from.
	Remotes RemoteGrants

	// MaxMemory (bytes), MaxNanoCPUs (10^9 is one CPU) and MaxPids bound each
	// container, and are the limits of one that asks for none. MaxContainers
	// bounds how many the owner has at a time. 0 is no bound.
	MaxMemory, MaxNanoCPUs, MaxPids int64
	MaxContainers                   int

	// ForceUser is the user of every container and exec: "1000:1000". "" leaves
	// the choice to the client.
	ForceUser string

	// JoinNetwork is a container, by name or ID, that is connected to every
	// network the owner makes, under the name JoinAlias ("" gives it none).
	JoinNetwork, JoinAlias string
	// Link is "container" or "container:alias": JoinNetwork, and a link to that
	// container in every container the owner makes.
	Link string

	// EngineSockets are the host paths of the engine's own socket, besides
	// /var/run/docker.sock and /run/docker.sock. Where a client mounts one of
	// them, it gets GuardSocket, the host path of the guarded socket; "" refuses.
	EngineSockets []string
	GuardSocket   string

	// Swarm opens the swarm API.
	Swarm bool

	// AllowKeys are members of JSON bodies that sockguard does not know and passes
	// on unchecked, by path: "HostConfig.NewThing".
	AllowKeys []string
}

// A BindGrant permits mounts of a host path and of what lies below it.
type BindGrant struct {
	Path     string // absolute and clean
	ReadOnly bool
}

// A PortRange is a range of host ports, both ends included.
type PortRange struct{ First, Last uint16 }

// AllowsKey reports whether a member of a JSON body, by its path, passes though
// sockguard does not know it.
func (g *Grants) AllowsKey(path string) bool { return slices.Contains(g.AllowKeys, path) }
