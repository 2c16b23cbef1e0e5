package swarm

import (
	"path"
	"slices"
	"strings"

	"sockguard/policy/container"
	"sockguard/policy/field"
	"sockguard/policy/verdict"

	"github.com/go-json-experiment/json/jsontext"
)

// checkMounts decides the mounts of a service. Tasks start on any node at any
// time, and sockguard does not see it. So a host path must be equal to a granted
// one, because a client could put symlinks below it. The name of a volume must
// begin with the owner's name and _, because the node may have another owner's volume
// of the same name. No owner whose own name has a _ may have such volumes: one name
// could begin with another.
func checkMounts(d *container.Draft, name string, mounts []container.Mount) (err error) {
	for _, m := range mounts {
		switch {
		case m.Type == "bind":
			err = checkBind(d, name, &m)
		case m.Type == "volume" && m.Source != "":
			err = checkVolume(d, name, &m)
		case m.Type == "volume", m.Type == "tmpfs":
			err = d.CheckMount(name, &m)
		default:
			err = field.Deny(name, verdict.Quoted(m.Type), "services may not have mounts of this type; use volume, tmpfs or bind", "")
		}
		if err != nil {
			return err
		}
		d.AddMount(m)
	}
	return nil
}

func checkBind(d *container.Draft, name string, m *container.Mount) error {
	if err := d.CheckMount(name, m); err != nil {
		return err
	}
	granted := m.Source == d.GuardSocket || slices.ContainsFunc(d.Binds, func(g verdict.BindGrant) bool { return path.Clean(g.Path) == m.Source })
	if !granted {
		return verdict.Deny("bind", "%s: bind mount of %s in a service: below an allowed path symlinks could be exchanged before a task starts; mount the allowed path itself", name, m.Source)
	}
	return nil
}

func checkVolume(d *container.Draft, name string, m *container.Mount) error {
	if strings.Contains(d.Owner, "_") {
		return verdict.Deny("volume", "%s: volume %s in a service: volumes are each node's own and told apart by their owner's name, and with a _ in it %s is not told apart from shorter ones; mount a volume without a name", name, m.Source, d.Owner)
	}
	if !strings.HasPrefix(m.Source, d.Owner+"_") {
		return verdict.Deny("volume", "%s: volume %s in a service: volumes are each node's own, and another owner's may have this name there; begin the name with %s_", name, m.Source, d.Owner)
	}
	return d.CheckMount(name, m)
}

// A fileRef puts a secret or a config into a file of the container.
type fileRef struct {
	File       jsontext.Value `json:",omitzero"`
	Runtime    *struct{}      `json:",omitzero"`
	SecretID   string         `json:",omitzero"`
	SecretName string         `json:",omitzero"`
	ConfigID   string         `json:",omitzero"`
	ConfigName string         `json:",omitzero"`
}

// checkFileRefs pins the secrets, or the configs, of a service by ID.
func checkFileRefs(kind verdict.Kind) field.Check[*container.Draft] {
	return field.Edit(func(d *container.Draft, _ string, refs []fileRef) ([]fileRef, error) {
		for i := range refs {
			id := &refs[i].SecretID
			if kind == verdict.Config {
				id = &refs[i].ConfigID
			}
			o, err := d.Own(kind, *id)
			if err != nil {
				return nil, err
			}
			*id = o.ID
		}
		return refs, nil
	})
}
