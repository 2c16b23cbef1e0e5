package policy

import (
	"path"
	"slices"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkServiceMounts decides the mounts of a service. Tasks start on any node at
// any time, and nothing is asked here: a host path must be a granted one itself,
// for below it a client could put symlinks; a volume's name must begin with the
// owner's, for another owner's of the same name may be on that node.
func checkServiceMounts(d *draft, name string, v jsontext.Value) (jsontext.Value, error) {
	mounts, err := decode[[]mount](name, v)
	if err != nil {
		return nil, err
	}
	for i := range mounts {
		m := &mounts[i]
		switch {
		case m.Type == "bind":
			err = d.serviceBind(name, m)
		case m.Type == "volume" && m.Source != "":
			err = d.serviceVolume(name, m)
		case m.Type == "volume", m.Type == "tmpfs":
			err = d.checkMount(name, m)
		default:
			err = denyField(name, quoted(m.Type), "services may not have mounts of this type; use volume, tmpfs or bind", "")
		}
		if err != nil {
			return nil, err
		}
		d.cover(m.Target)
	}
	d.mounts = append(d.mounts, mounts...)
	return v, nil
}

func (d *draft) serviceBind(name string, m *mount) error {
	if err := d.checkMount(name, m); err != nil {
		return err
	}
	granted := m.Source == d.GuardSocket || slices.ContainsFunc(d.Binds, func(g BindGrant) bool { return path.Clean(g.Path) == m.Source })
	if !granted {
		return deny("bind", "%s: bind mount of %s in a service: below an allowed path symlinks could be exchanged before a task starts; mount the allowed path itself", name, m.Source)
	}
	return nil
}

func (d *draft) serviceVolume(name string, m *mount) error {
	if !strings.HasPrefix(m.Source, d.Owner+"_") && !strings.HasPrefix(m.Source, d.Owner+"-") {
		return deny("volume", "%s: volume %s in a service: volumes are each node's own, and another owner's may have this name there; begin the name with %s_", name, m.Source, d.Owner)
	}
	source := m.Source
	o, found, err := d.lookup(Volume, source)
	if err != nil {
		return err
	}
	if !validName(source) || found && !d.owns(o.Labels) {
		return deny("volume", "%s: volume name %s is taken or no name: names are the whole engine's; choose another", name, source)
	}
	m.Source = "" // so that checkMount labels it as it labels volumes without a name
	err = d.checkMount(name, m)
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

func checkSecretRefs(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return d.fileRefs(Secret, path, v, func(r *fileRef) *string { return &r.SecretID })
}

func checkConfigRefs(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return d.fileRefs(Config, path, v, func(r *fileRef) *string { return &r.ConfigID })
}

func (d *draft) fileRefs(kind Kind, path string, v jsontext.Value, id func(*fileRef) *string) (jsontext.Value, error) {
	refs, err := decode[[]fileRef](path, v)
	if err != nil {
		return nil, err
	}
	for i := range refs {
		ref := id(&refs[i])
		o, err := d.own(kind, *ref)
		if err != nil {
			return nil, err
		}
		*ref = o.ID
	}
	return rawjson.Encode(refs), nil
}
