package container

import (
	"slices"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

const notOwn = "it is not the container's own"

// checkIpcMode permits a container's own shared memory, and that of another
// container of the owner.
func checkIpcMode(d *Draft, path, mode string) (string, error) {
	return d.joins(path, mode, "none", "private", "shareable")
}

// checkPidMode permits a container's own processes, and those of another
// container of the owner.
func checkPidMode(d *Draft, path, mode string) (string, error) { return d.joins(path, mode, "private") }

// checkPrivate permits "private" for a namespace that cannot be joined.
func checkPrivate(_ *Draft, path, mode string) error {
	if mode == "private" {
		return nil
	}
	return field.Deny(path, verdict.Quoted(mode), notOwn, "")
}

// joins permits the modes listed, and "container:X" where X is the owner's. X is
// replaced by its full ID, because engines look a name up again at every start.
func (d *Draft) joins(path, mode string, modes ...string) (string, error) {
	if slices.Contains(modes, mode) {
		return mode, nil
	}
	ref, ok := strings.CutPrefix(mode, "container:")
	if !ok {
		return "", field.Deny(path, verdict.Quoted(mode), notOwn, "")
	}
	o, err := d.Own(verdict.Container, ref)
	return "container:" + o.ID, err
}

// checkCgroupParent refuses a parent other than the operator's, which [Create]
// sets.
func checkCgroupParent(d *Draft, path, parent string) error {
	if parent == d.CgroupParent {
		return nil
	}
	return field.Deny(path, verdict.Quoted(parent), "it leaves the limits of the operator", "--cgroup-parent")
}
