package policy

import (
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkIpcMode permits a container's own shared memory, and that of another
// container of the owner.
func checkIpcMode(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return d.joins(path, v, "none", "private", "shareable")
}

// checkPidMode permits a container's own processes, and those of another
// container of the owner.
func checkPidMode(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return d.joins(path, v, "private")
}

// checkPrivate permits "private" for a namespace that cannot be joined.
func checkPrivate(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	mode, err := decode[string](path, v)
	if err == nil && mode != "private" {
		err = denyField(path, quoted(mode), "it is not the container's own", "")
	}
	return v, err
}

// joins permits modes that name no other namespace and "container:X" where X is
// the owner's. An X that does not exist now would be looked up again at start,
// so it is refused; one that does is pinned.
func (d *draft) joins(path string, v jsontext.Value, modes ...string) (jsontext.Value, error) {
	mode, err := decode[string](path, v)
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
		return nil, denyField(path, quoted(mode), "it is not the container's own", "")
	}
	o, err := d.own(Container, ref)
	return rawjson.Encode("container:" + o.ID), err
}

// checkCgroupParent refuses a parent of the client's own: it would leave the
// one that the operator set. [draft.confine] sets that one.
func checkCgroupParent(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	parent, err := decode[string](path, v)
	if err == nil && parent != d.CgroupParent {
		err = denyField(path, quoted(parent), "it leaves the limits of the operator", "--cgroup-parent")
	}
	return v, err
}
