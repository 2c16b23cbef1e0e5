package swarm

import (
	"path"
	"slices"
	"strings"

	"sockguard/policy/container"
	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkMounts decides the mounts of a service. Tasks start on any node at any
// time, and sockguard does not see it. So a host path must be a granted one
// itself, because below it a client could put symlinks. A volume's name must
// begin with the owner's, because another owner's volume of the same name may be
// on that node.
func checkMounts(d *container.Draft, name string, v jsontext.Value) (jsontext.Value, error) {
	mounts, err := verdict.Decode[[]container.Mount](name, v)
	if err != nil {
		return nil, err
	}
	for i := range mounts {
		m := &mounts[i]
		switch {
		case m.Type == "bind":
			err = checkBind(d, name, m)
		case m.Type == "volume" && m.Source != "":
			err = checkVolume(d, name, m)
		case m.Type == "volume", m.Type == "tmpfs":
			err = d.CheckMount(name, m)
		default:
			err = field.Deny(name, verdict.Quoted(m.Type), "services may not have mounts of this type; use volume, tmpfs or bind", "")
		}
		if err != nil {
			return nil, err
		}
		d.AddMount(*m)
	}
	return v, nil
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
	if !strings.HasPrefix(m.Source, d.Owner+"_") && !strings.HasPrefix(m.Source, d.Owner+"-") {
		return verdict.Deny("volume", "%s: volume %s in a service: volumes are each node's own, and another owner's may have this name there; begin the name with %s_", name, m.Source, d.Owner)
	}
	source := m.Source
	o, found, err := d.Lookup(verdict.Volume, source)
	if err != nil {
		return err
	}
	if !verdict.ValidName(source) || found && !d.Owns(o.Labels) {
		return verdict.Deny("volume", "%s: volume name %s is taken or no name: names are the whole engine's; choose another", name, source)
	}
	m.Source = "" // CheckMount labels a volume without a name
	err = d.CheckMount(name, m)
	m.Source = source
	return err
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

func checkSecretRefs(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return checkFileRefs(d, verdict.Secret, path, v, func(r *fileRef) *string { return &r.SecretID })
}

func checkConfigRefs(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return checkFileRefs(d, verdict.Config, path, v, func(r *fileRef) *string { return &r.ConfigID })
}

func checkFileRefs(d *container.Draft, kind verdict.Kind, path string, v jsontext.Value, id func(*fileRef) *string) (jsontext.Value, error) {
	refs, err := verdict.Decode[[]fileRef](path, v)
	if err != nil {
		return nil, err
	}
	for i := range refs {
		ref := id(&refs[i])
		o, err := d.Own(kind, *ref)
		if err != nil {
			return nil, err
		}
		*ref = o.ID
	}
	return rawjson.Encode(refs), nil
}
