package container

import (
	"maps"
	"path"
	"slices"
	"strings"

	"sockguard/policy/verdict"
	"sockguard/policy/volume"
	"sockguard/rewrite/rawjson"
)

// checkVolumeDriver decides HostConfig.VolumeDriver, the driver of all Binds.
func checkVolumeDriver(_ *Draft, path, driver string) error {
	return volume.CheckDriver(path, driver, nil)
}

// checkVolumesFrom decides "container" or "container:mode". The mounts of the
// owner's container were checked at its create, but its host paths may lead
// elsewhere now.
func checkVolumesFrom(d *Draft, name string, from []string) ([]string, error) {
	if err := verdict.CheckList(name, len(from)); err != nil {
		return nil, err
	}
	for i, spec := range from {
		ref, mode, hasMode := strings.Cut(spec, ":")
		o, err := d.Own(verdict.Container, ref)
		if err != nil {
			return nil, err
		}
		if err := recheckBinds(d.Case, o); err != nil {
			return nil, err
		}
		for _, target := range o.Volumes {
			d.cover(target)
		}
		from[i] = o.ID
		if hasMode {
			from[i] += ":" + mode
		}
	}
	return from, nil
}

// cover notes that a mount point has a mount, and returns it clean, as engines
// compare mount points. Engines refuse an empty one.
func (d *Draft) cover(target string) string {
	if d.mounted == nil {
		d.mounted = make(map[string]bool)
	}
	if target != "" {
		target = path.Clean(target)
	}
	d.mounted[target] = true
	return target
}

// addVolume adds a mount of a new volume without a name, where a mount can have
// labels and Volumes and Binds cannot. The engine removes the volume with the
// container (docker rm -v, --rm), because the source of the mount is empty.
func (d *Draft) addVolume(member, target string) error {
	if d.mounted[path.Clean(target)] {
		return nil
	}
	if !path.IsAbs(target) {
		return verdict.Bad("volume", "%s %s: engines mount a volume at a relative path too, but not one with a label; write it with a leading / (VOLUME in the Dockerfile)", member, verdict.Quoted(target))
	}
	m := Mount{Type: "volume", Target: target}
	if err := d.checkVolumeMount(member, &m); err != nil {
		return err
	}
	d.AddMount(m)
	return nil
}

// checkVolumes adds a mount with a label for every volume that the client or the
// image declares. The engine would make it without a label.
func (d *Draft) checkVolumes(config *rawjson.Object, image verdict.Object) error {
	volumes, err := verdict.Decode[map[string]struct{}]("Volumes", config.Value("Volumes"))
	if err != nil {
		return err
	}
	return d.AddVolumes("Volumes", append(slices.Collect(maps.Keys(volumes)), image.Volumes...))
}

// AddVolumes adds a mount of a new volume at every target that has none yet.
// Member names them in a refusal.
func (d *Draft) AddVolumes(member string, targets []string) error {
	if err := verdict.CheckList(member, len(targets)); err != nil {
		return err
	}
	for _, target := range slices.Sorted(slices.Values(targets)) {
		if err := d.addVolume(member, target); err != nil {
			return err
		}
	}
	return nil
}

// SetMounts puts the mounts into a body.
func (d *Draft) SetMounts(o *rawjson.Object) {
	if len(d.mounts) > 0 {
		o.Set("Mounts", rawjson.Encode(d.mounts))
	}
}
