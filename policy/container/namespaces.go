package container

import (
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkIpcMode permits a container's own shared memory, and that of another
// container of the owner.
func checkIpcMode(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return d.joins(path, v, "none", "private", "shareable")
}

// checkPidMode permits a container's own processes, and those of another
// container of the owner.
func checkPidMode(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return d.joins(path, v, "private")
}

// checkPrivate permits "private" for a namespace that cannot be joined.
func checkPrivate(_ *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	mode, err := verdict.Decode[string](path, v)
	if err == nil && mode != "private" {
		err = field.Deny(path, verdict.Quoted(mode), "it is not the container's own", "")
	}
	return v, err
}

// joins permits the modes listed and "container:X" where X is the owner's. X is
// pinned. It must exist, because engines look a name up again at start.
func (d *Draft) joins(path string, v jsontext.Value, modes ...string) (jsontext.Value, error) {
	mode, err := verdict.Decode[string](path, v)
	if err != nil {
		return nil, err
	}
	for _, m := range modes {
		if mode == m {
			return v, nil
		}
	}
	ref, ok := strings.CutPrefix(mode, "container:")
	if !ok {
		return nil, field.Deny(path, verdict.Quoted(mode), "it is not the container's own", "")
	}
	o, err := d.Own(verdict.Container, ref)
	return rawjson.Encode("container:" + o.ID), err
}

// checkCgroupParent refuses a parent other than the operator's, which [Create]
// sets.
func checkCgroupParent(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	parent, err := verdict.Decode[string](path, v)
	if err == nil && parent != d.CgroupParent {
		err = field.Deny(path, verdict.Quoted(parent), "it leaves the limits of the operator", "--cgroup-parent")
	}
	return v, err
}
