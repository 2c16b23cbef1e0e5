package policy

import (
	"path"
	"slices"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// A mount is one of HostConfig.Mounts.
type mount struct {
	Type           string         `json:",omitzero"`
	Source         string         `json:",omitzero"`
	Target         string         `json:",omitzero"`
	ReadOnly       bool           `json:",omitzero"`
	Consistency    string         `json:",omitzero"`
	BindOptions    *bindOptions   `json:",omitzero"`
	VolumeOptions  *volumeOptions `json:",omitzero"`
	ImageOptions   jsontext.Value `json:",omitzero"`
	TmpfsOptions   jsontext.Value `json:",omitzero"`
	ClusterOptions jsontext.Value `json:",omitzero"`
}

type bindOptions struct {
	Propagation            string `json:",omitzero"`
	NonRecursive           bool   `json:",omitzero"`
	CreateMountpoint       bool   `json:",omitzero"`
	ReadOnlyNonRecursive   bool   `json:",omitzero"`
	ReadOnlyForceRecursive bool   `json:",omitzero"`
}

type volumeOptions struct {
	NoCopy       bool              `json:",omitzero"`
	Labels       map[string]string `json:",omitzero"`
	Subpath      string            `json:",omitzero"`
	DriverConfig *driverConfig     `json:",omitzero"`
}

type driverConfig struct {
	Name    string            `json:",omitzero"`
	Options map[string]string `json:",omitzero"`
}

// checkMounts decides HostConfig.Mounts. [draft.finishMounts] writes them.
func checkMounts(d *draft, name string, v jsontext.Value) (jsontext.Value, error) {
	mounts, err := decode[[]mount](name, v)
	if err != nil {
		return nil, err
	}
	for i := range mounts {
		if err := d.checkMount(name, &mounts[i]); err != nil {
			return nil, err
		}
		d.cover(mounts[i].Target)
	}
	d.mounts = append(d.mounts, mounts...)
	return v, nil
}

func (d *draft) checkMount(name string, m *mount) (err error) {
	switch m.Type {
	case "bind":
		if !path.IsAbs(m.Source) {
			return bad("bind", "%s: bind mount of %s: it is no absolute path; write one", name, quoted(m.Source))
		}
		if m.BindOptions != nil && m.BindOptions.Propagation != "" {
			if err := checkPropagation(name, m.BindOptions.Propagation); err != nil {
				return err
			}
		}
		m.Source, err = d.hostPath(name, m.Source, !m.ReadOnly)
		return err
	case "volume":
		return d.checkVolumeMount(name, m)
	case "image":
		o, err := d.use(Image, m.Source)
		m.Source = pinnedRef(m.Source, o)
		return err
	case "tmpfs":
		return nil
	}
	return denyField(name, quoted(m.Type), "mounts of this type reach the host; use bind, volume, image or tmpfs", "")
}

// checkVolumeMount decides a mount of a volume: the owner's, or one that is made
// now and gets the owner's label.
func (d *draft) checkVolumeMount(name string, m *mount) error {
	var o volumeOptions
	if m.VolumeOptions != nil {
		o = *m.VolumeOptions
	}
	var driver driverConfig
	if o.DriverConfig != nil {
		driver = *o.DriverConfig
	}
	if err := checkDriver(name, driver.Name, driver.Options); err != nil {
		return err
	}
	if m.Source != "" {
		return d.namedVolume(name, volumeBody{Name: m.Source, Driver: driver.Name, DriverOpts: driver.Options, Labels: o.Labels})
	}
	labels, err := d.ownLabels(name, o.Labels)
	o.Labels = labels
	m.VolumeOptions = &o
	return err
}

// checkBinds decides HostConfig.Binds: "source:target:options", where source is
// a host path or the name of a volume. A bare "target" is an anonymous volume;
// it moves to Mounts, where it can have a label.
func checkBinds(d *draft, name string, v jsontext.Value) (jsontext.Value, error) {
	binds, err := decode[[]string](name, v)
	if err != nil {
		return nil, err
	}
	kept := make([]string, 0, len(binds))
	for _, bind := range binds {
		parts := strings.Split(bind, ":")
		if len(parts) == 1 && path.IsAbs(bind) {
			if err := d.anonymousVolume(name, bind); err != nil {
				return nil, err
			}
			continue
		}
		if len(parts) > 3 || len(parts) < 2 || parts[0] == "" || !path.IsAbs(parts[1]) {
			return nil, bad("bind", "%s %s: it is not of the form source:/target:options; write it so", name, quoted(bind))
		}
		if err := d.checkBind(name, parts); err != nil {
			return nil, err
		}
		d.cover(parts[1])
		kept = append(kept, strings.Join(parts, ":"))
	}
	return rawjson.Encode(kept), nil
}

// checkBind decides one bind, split at the colons, and puts the source to mount
// into it.
func (d *draft) checkBind(name string, parts []string) (err error) {
	var options []string
	if len(parts) == 3 {
		options = strings.Split(parts[2], ",")
	}
	for _, o := range options {
		switch o {
		case "", "rw", "ro", "z", "Z", "nocopy", "consistent", "cached", "delegated", "default":
		default:
			if err := checkPropagation(name, o); err != nil {
				return err
			}
		}
	}
	if !path.IsAbs(parts[0]) {
		return d.namedVolume(name, volumeBody{Name: parts[0]})
	}
	parts[0], err = d.hostPath(name, parts[0], !slices.Contains(options, "ro"))
	return err
}

// checkPropagation refuses what would carry mounts from a container to the host.
func checkPropagation(name, option string) error {
	switch option {
	case "private", "rprivate", "slave", "rslave":
		return nil
	case "shared", "rshared":
		return denyField(name, quoted(option), "mounts would spread to the host; use rslave", "")
	}
	return bad("bind", "%s %s: it is no option of a bind; use ro, rw, z, Z, nocopy or rslave", name, quoted(option))
}

// checkTmpfs notes the mount points of HostConfig.Tmpfs, which live and die with
// the container.
func checkTmpfs(d *draft, name string, v jsontext.Value) (jsontext.Value, error) {
	tmpfs, err := decode[map[string]string](name, v)
	for target := range tmpfs {
		d.cover(target)
	}
	return v, err
}

func checkStorageOpt(_ *draft, name string, v jsontext.Value) (jsontext.Value, error) {
	opts, err := decode[map[string]string](name, v)
	for key := range opts {
		if key != "size" {
			return nil, denyField(name, quoted(key), "it is an option of the host's storage driver", "")
		}
	}
	return v, err
}

func (d *draft) cover(target string) {
	if d.mounted == nil {
		d.mounted = make(map[string]bool)
	}
	d.mounted[path.Clean(target)] = true
}
