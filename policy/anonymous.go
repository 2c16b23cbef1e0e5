package policy

import (
	"path"
	"slices"

	"sockguard/rewrite/rawjson"
)

// anonymousVolume mounts a new volume without a name. As a mount it has labels;
// the engine removes it with the container (docker rm -v, --rm) as it does the
// others, for its source is empty.
func (d *draft) anonymousVolume(field, target string) error {
	if d.mounted[path.Clean(target)] {
		return nil
	}
	if !path.IsAbs(target) {
		return bad("volume", "%s %s: engines mount a volume at a relative path too, but not one with a label; write it with a leading / (VOLUME in the Dockerfile)", field, quoted(target))
	}
	m := mount{Type: "volume", Target: target}
	if err := d.checkVolumeMount(field, &m); err != nil {
		return err
	}
	d.cover(target)
	d.mounts = append(d.mounts, m)
	return nil
}

// anonymousVolumes mounts a labelled volume at every mount point that the engine
// would make an unlabelled one for: the client's Volumes and the image's.
func (d *draft) anonymousVolumes(config *rawjson.Object, image Object) error {
	targets := slices.Clone(image.Volumes)
	if value, ok := config.Get("Volumes"); ok {
		volumes, err := decode[map[string]struct{}]("Volumes", value)
		if err != nil {
			return err
		}
		for target := range volumes {
			targets = append(targets, target)
		}
	}
	slices.Sort(targets)
	for _, target := range targets {
		if err := d.anonymousVolume("Volumes", target); err != nil {
			return err
		}
	}
	return nil
}
