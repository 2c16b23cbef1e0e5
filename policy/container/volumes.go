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

// checkVolumesFrom decides "container" or "container:mode". A container of the
// owner's has only mounts that were judged, and its host paths are judged again.
func checkVolumesFrom(d *Draft, _ string, from []string) ([]string, error) {
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

// cover marks a mount point as taken.
func (d *Draft) cover(target string) {
	if d.mounted == nil {
		d.mounted = make(map[string]bool)
	}
	d.mounted[path.Clean(target)] = true
}

// addVolume mounts a new volume without a name. As a mount it can have labels.
// The engine removes it with the container (docker rm -v, --rm), because its
// source is empty.
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

// checkVolumes mounts a labelled volume at every mount point of the client's
// Volumes and of the image, where the engine would make one without a label.
func (d *Draft) checkVolumes(config *rawjson.Object, image verdict.Object) error {
	volumes, err := verdict.Decode[map[string]struct{}]("Volumes", config.Value("Volumes"))
	if err != nil {
		return err
	}
	return d.AddVolumes("Volumes", append(slices.Collect(maps.Keys(volumes)), image.Volumes...))
}

// AddVolumes mounts a labelled volume at every mount point that is not taken.
// Member names them in a refusal.
func (d *Draft) AddVolumes(member string, targets []string) error {
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
