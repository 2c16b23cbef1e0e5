package config

import (
	"cmp"
	"errors"
	"os"

	"github.com/spf13/pflag"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
)

// defaultEngine is where an engine listens unless DOCKER_HOST says otherwise.
const defaultEngine = "unix:///var/run/docker.sock"

// Settings describe one guard.
type Settings struct {
	Owner       string   `yaml:"owner"`
	LabelKey    string   `yaml:"label-key"`
	Listen      string   `yaml:"listen"`
	ListenName  []string `yaml:"listen-name"`
	SocketMode  string   `yaml:"socket-mode"`
	SocketUser  string   `yaml:"socket-user"`
	SocketGroup string   `yaml:"socket-group"`
	Upstream    string   `yaml:"upstream"`
	AuditOnly   bool     `yaml:"audit-only"`

	ShowLabelSteps bool `yaml:"show-label-steps"`

	CgroupParent string `yaml:"cgroup-parent"`
	ForceUser    string `yaml:"force-user"`
	JoinNetwork  string `yaml:"join-network"`
	JoinAlias    string `yaml:"join-alias"`
	Link         string `yaml:"link"`
	GuardSocket  string `yaml:"guard-socket"`

	AllowBind        []string `yaml:"allow-bind"`
	AllowHostNetwork bool     `yaml:"allow-host-network"`
	AllowPort        []string `yaml:"allow-port"`
	AllowSubnet      []string `yaml:"allow-subnet"`
	AllowRegistry    []string `yaml:"allow-registry"`
	AllowTag         []string `yaml:"allow-tag"`
	AllowRemote      []string `yaml:"allow-remote"`
	AllowCapability  []string `yaml:"allow-capability"`
	AllowDevice      []string `yaml:"allow-device"`
	AllowGPUs        bool     `yaml:"allow-gpus"`
	AllowSysctl      []string `yaml:"allow-sysctl"`
	AllowSecurityOpt []string `yaml:"allow-security-opt"`
	AllowRuntime     []string `yaml:"allow-runtime"`
	AllowSwarm       bool     `yaml:"allow-swarm"`
	AllowKey         []string `yaml:"allow-key"`

	MaxMemory         string `yaml:"max-memory"`
	MaxCPUs           string `yaml:"max-cpus"`
	MaxPids           int64  `yaml:"max-pids"`
	MaxContainers     int    `yaml:"max-containers"`
	MaxContextBytes   string `yaml:"max-context-bytes"`
	MaxContextEntries int64  `yaml:"max-context-entries"`
}

// register binds s to flags and sets the defaults.
func (s *Settings) register(f *pflag.FlagSet) {
	RegisterOwner(f, &s.Owner, &s.LabelKey)
	f.StringVar(&s.Listen, "listen", "unix://./sockguard.sock", "address of the guarded socket, unix://PATH or tcp://HOST:PORT")
	f.StringArrayVar(&s.ListenName, "listen-name", nil, "name by which clients call a TCP socket, besides names without a dot (repeatable)")
	f.StringVar(&s.SocketMode, "socket-mode", "0600", "permissions of the socket file, octal")
	f.StringVar(&s.SocketUser, "socket-user", "", "user of the socket file, name or number")
	f.StringVar(&s.SocketGroup, "socket-group", "", "group of the socket file, name or number")
	f.StringVar(&s.Upstream, "upstream", cmp.Or(os.Getenv("DOCKER_HOST"), defaultEngine), "address of the engine")
	f.BoolVar(&s.AuditOnly, "audit-only", false, "log what would be refused, and let it pass: to learn, not to guard")
	f.BoolVar(&s.ShowLabelSteps, "show-label-steps", false, "show the steps that sockguard adds to builds in their output")
	s.registerGrants(f)
	s.registerCeilings(f)
}

// registerGrants binds what an operator opens or forces.
func (s *Settings) registerGrants(f *pflag.FlagSet) {
	f.StringVar(&s.CgroupParent, "cgroup-parent", "", "cgroup of all containers, of builds too")
	f.StringVar(&s.ForceUser, "force-user", "", "user of every container and exec, UID or UID:GID")
	f.StringVar(&s.JoinNetwork, "join-network", "", "container that is connected to every network made")
	f.StringVar(&s.JoinAlias, "join-alias", "", "name of the joined container in those networks")
	f.StringVar(&s.Link, "link", "", "CONTAINER[:ALIAS] that every container is linked to; joins networks too")
	f.StringVar(&s.GuardSocket, "guard-socket", "", "host path of the guarded socket; a mount of the engine's socket gets this one instead")
	f.StringArrayVar(&s.AllowBind, "allow-bind", nil, "host path that containers may mount, PATH or PATH:ro (repeatable, or separated by commas)")
	f.BoolVar(&s.AllowHostNetwork, "allow-host-network", false, "permit network mode host")
	f.StringArrayVar(&s.AllowPort, "allow-port", nil, "host port or range FIRST-LAST that may be published (repeatable; default 1024-65535)")
	f.StringArrayVar(&s.AllowSubnet, "allow-subnet", nil, "range that networks may have their subnets in, as in 10.20.0.0/16, besides the engine's own address pools (repeatable)")
	f.StringArrayVar(&s.AllowRegistry, "allow-registry", nil, "registry host for pull and push (repeatable; default any)")
	f.StringArrayVar(&s.AllowTag, "allow-tag", nil, "pattern of the repositories in which images may be named, as in team-a/* (repeatable; default any)")
	f.StringArrayVar(&s.AllowRemote, "allow-remote", nil, "host that sockguard fetches build contexts from, HOST, *.HOST, or an address or range that is not public (repeatable, or separated by commas)")
	f.StringArrayVar(&s.AllowCapability, "allow-capability", nil, "capability that containers may add (repeatable)")
	f.StringArrayVar(&s.AllowDevice, "allow-device", nil, "host device that containers may open, as in /dev/fuse (repeatable)")
	f.BoolVar(&s.AllowGPUs, "allow-gpus", false, "permit docker run --gpus")
	f.StringArrayVar(&s.AllowSysctl, "allow-sysctl", nil, "kernel parameter that containers may set (repeatable)")
	f.StringArrayVar(&s.AllowSecurityOpt, "allow-security-opt", nil, "security option permitted to the letter (repeatable)")
	f.StringArrayVar(&s.AllowRuntime, "allow-runtime", nil, "OCI runtime that containers may choose (repeatable)")
	f.BoolVar(&s.AllowSwarm, "allow-swarm", false, "open services, tasks, secrets and configs")
	f.StringArrayVar(&s.AllowKey, "allow-key", nil, "member of request bodies that sockguard does not know and lets through, as in HostConfig.New (repeatable)")
}

// registerCeilings binds what bounds a client.
func (s *Settings) registerCeilings(f *pflag.FlagSet) {
	f.StringVar(&s.MaxMemory, "max-memory", "", "memory of one container, as in 2g")
	f.StringVar(&s.MaxCPUs, "max-cpus", "", "CPUs of one container, as in 1.5")
	f.Int64Var(&s.MaxPids, "max-pids", 0, "processes of one container")
	f.IntVar(&s.MaxContainers, "max-containers", 0, "containers at a time")
	f.StringVar(&s.MaxContextBytes, "max-context-bytes", "", "size of a build context after decompression, as in 10g")
	f.Int64Var(&s.MaxContextEntries, "max-context-entries", 0, "number of entries of a build context")
}

// RegisterOwner binds the two settings of the owner label to flags.
func RegisterOwner(f *pflag.FlagSet, owner, key *string) {
	f.StringVar(owner, "owner", "", "value of the owner label: a team or a pipeline, stable over time (required)")
	f.StringVar(key, "label-key", verdict.DefaultLabelKey, "key of the owner label")
}

// CheckOwner refuses what cannot stand in a LABEL instruction.
func CheckOwner(owner, key string) error {
	if owner == "" {
		return errors.New("no owner: name who will hold the socket, as in --owner team-a")
	}
	return rewrite.Label{Key: key, Value: owner}.Check()
}
