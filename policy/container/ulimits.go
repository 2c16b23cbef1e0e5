package container

import (
	"slices"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

// A Ulimit is a resource limit of the processes of a container.
type Ulimit struct {
	Name       string
	Soft, Hard int64
}

// boundUlimits are limits of what the cgroup of a container bounds too, or of what a
// container may have anyway. The others are rtprio and rttime, by which a process leaves
// the CPU quota of its cgroup, and nice, by which it gets ahead of others.
var boundUlimits = []string{
	"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nofile", "nproc", "rss", "sigpending", "stack",
}

// Ulimits is the check of a list of resource limits. Engines read their names in any
// case.
func Ulimits(_ *Draft, path string, limits []Ulimit) error {
	for _, l := range limits {
		if !slices.Contains(boundUlimits, strings.ToLower(l.Name)) {
			return field.Deny(path, verdict.Quoted(l.Name), "it takes the CPU away from the host or is no limit; use one of "+strings.Join(boundUlimits, ", "), "")
		}
	}
	return nil
}
