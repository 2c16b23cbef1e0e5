package container

import (
	"path"
	"slices"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/policy/volume"

	"github.com/go-json-experiment/json/jsontext"
)

// A Mount is one of HostConfig.Mounts.
type Mount struct {
	Type           string         `json:",omitzero"`
	Source         string         `json:",omitzero"`
	Target         string         `json:",omitzero"`
	ReadOnly       bool           `json:",omitzero"`
	Consistency    string         `json:",omitzero"`
	BindOptions    *bindOptions   `json:",omitzero"`
	VolumeOptions  *volumeOptions `json:",omitzero"`
	ImageOptions   jsontext.Value `json:",omitzero"`
	TmpfsOptions   *tmpfsOptions  `json:",omitzero"`
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

// checkMounts decides HostConfig.Mounts. [Draft.SetMounts] sends them with the
// mounts that other fields add.
func checkMounts(d *Draft, name string, mounts []Mount) error {
	if err := verdict.CheckList(name, len(mounts)); err != nil {
		return err
	}
	for _, m := range mounts {
		if err := d.CheckMount(name, &m); err != nil {
			return err
		}
		d.AddMount(m)
	}
	return nil
}

// AddMount adds a checked mount to those to send.
func (d *Draft) AddMount(m Mount) {
	m.Target = d.cover(m.Target)
	d.mounts = append(d.mounts, m)
}

// CheckMount decides one mount and pins its source. Name is the member of the
// body, for the refusal.
func (d *Draft) CheckMount(name string, m *Mount) (err error) {
	switch m.Type {
	case "bind":
		if !path.IsAbs(m.Source) {
			return verdict.Bad("bind", "%s: bind mount of %s: it is no absolute path; write one", name, verdict.Quoted(m.Source))
		}
		if m.BindOptions != nil && m.BindOptions.Propagation != "" {
			if err := checkPropagation(name, m.BindOptions.Propagation); err != nil {
				return err
			}
		}
		m.Source, err = hostPath(d.Case, name, m.Source, !m.ReadOnly)
		return err
	case "volume":
		return d.checkVolumeMount(name, m)
	case "image":
		o, err := d.Use(verdict.Image, m.Source)
		m.Source = o.ID
		return err
	case "tmpfs":
		return checkTmpfsMount(name, m.TmpfsOptions)
	}
	return field.Deny(name, verdict.Quoted(m.Type), "mounts of this type reach the host; use bind, volume, image or tmpfs", "")
}

// checkVolumeMount decides a mount of a volume, which is the owner's or a new one. It
// has the owner's label in case that the engine has to make the volume.
func (d *Draft) checkVolumeMount(name string, m *Mount) error {
	var o volumeOptions
	if m.VolumeOptions != nil {
		o = *m.VolumeOptions
	}
	var driver driverConfig
	if o.DriverConfig != nil {
		driver = *o.DriverConfig
	}
	if err := volume.CheckDriver(name, driver.Name, driver.Options); err != nil {
		return err
	}
	if m.Source != "" {
		if err := volume.MayName(d.Case, name, m.Source); err != nil {
			return err
		}
	}
	labels, err := d.OwnLabels(name, o.Labels)
	o.Labels = labels
	m.VolumeOptions = &o
	return err
}

// checkBinds decides HostConfig.Binds: "source:target:options", where source is
// a host path or the name of a volume. Volumes are moved to Mounts, where they can
// have a label; a bare "target" is one without a name.
func checkBinds(d *Draft, name string, binds []string) ([]string, error) {
	if err := verdict.CheckList(name, len(binds)); err != nil {
		return nil, err
	}
	kept := make([]string, 0, len(binds))
	for _, bind := range binds {
		parts := strings.Split(bind, ":")
		if len(parts) == 1 && path.IsAbs(bind) {
			if err := d.addVolume(name, bind); err != nil {
				return nil, err
			}
			continue
		}
		if len(parts) > 3 || len(parts) < 2 || parts[0] == "" || !path.IsAbs(parts[1]) {
			return nil, verdict.Bad("bind", "%s %s: it is not of the form source:/target:options; write it so", name, verdict.Quoted(bind))
		}
		if err := d.checkBind(name, parts); err != nil {
			return nil, err
		}
		if path.IsAbs(parts[0]) {
			parts[1] = d.cover(parts[1])
			kept = append(kept, strings.Join(parts, ":"))
		}
	}
	return kept, nil
}

// checkBind decides one bind, split at its colons, and edits its source. It adds a
// mount for a volume; SELinux labels are the engine's there, so z and Z are dropped.
func (d *Draft) checkBind(name string, parts []string) (err error) {
	var options []string
	if len(parts) == 3 {
		options = strings.Split(parts[2], ",")
	}
	named := !path.IsAbs(parts[0])
	for _, o := range options {
		switch o {
		case "", "rw", "ro", "z", "Z", "nocopy", "consistent", "cached", "delegated", "default":
			continue
		}
		if err := checkPropagation(name, o); err != nil {
			return err
		}
		if named {
			return verdict.Bad("bind", "%s %s: it is no option of a volume; use ro, rw, z, Z or nocopy", name, verdict.Quoted(o))
		}
	}
	readOnly := slices.Contains(options, "ro")
	if !named {
		parts[0], err = hostPath(d.Case, name, parts[0], !readOnly)
		return err
	}
	m := Mount{Type: "volume", Source: parts[0], Target: parts[1], ReadOnly: readOnly}
	if slices.Contains(options, "nocopy") {
		m.VolumeOptions = &volumeOptions{NoCopy: true}
	}
	if err := d.checkVolumeMount(name, &m); err != nil {
		return err
	}
	d.AddMount(m)
	return nil
}

// checkPropagation refuses options that carry mounts from a container to the host.
func checkPropagation(name, option string) error {
	switch option {
	case "private", "rprivate", "slave", "rslave":
		return nil
	case "shared", "rshared":
		return field.Deny(name, verdict.Quoted(option), "mounts would spread to the host; use rslave", "")
	}
	return verdict.Bad("bind", "%s %s: it is no option of a bind; use ro, rw, z, Z, nocopy or rslave", name, verdict.Quoted(option))
}

func checkStorageOpt(_ *Draft, name string, opts map[string]string) error {
	for key := range opts {
		if key != "size" {
			return field.Deny(name, verdict.Quoted(key), "it is an option of the host's storage driver", "")
		}
	}
	return nil
}
