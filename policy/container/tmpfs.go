package container

import (
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/policy/volume"
)

// tmpfsOptions are those of a mount of type tmpfs.
type tmpfsOptions struct {
	SizeBytes int64      `json:",omitzero"`
	Mode      uint32     `json:",omitzero"`
	Options   [][]string `json:",omitzero"`
}

// checkTmpfs decides HostConfig.Tmpfs, and covers its mount points. Engines compare
// these with those of volumes as they are written, so they are sent clean.
func checkTmpfs(d *Draft, path string, tmpfs map[string]string) (map[string]string, error) {
	clean := make(map[string]string, len(tmpfs))
	for target, options := range tmpfs {
		if options != "" && !volume.TmpfsOptions(options) {
			return nil, field.Deny(path, verdict.Quoted(options), "a tmpfs may have size, mode, uid, gid, nr_inodes, nr_blocks, and the options ro, rw, exec, suid, nodev, sync, "+
				"atime, diratime, relatime and strictatime, their opposites too; other options of mount reach beyond it", "")
		}
		clean[d.cover(target)] = options
	}
	if len(clean) < len(tmpfs) {
		return nil, verdict.Bad("tmpfs", "%s: a mount point is named twice; name it once", path)
	}
	return clean, nil
}

func checkTmpfsMount(path string, o *tmpfsOptions) error {
	if o == nil {
		return nil
	}
	for _, option := range o.Options {
		if len(option) != 1 || option[0] != "exec" && option[0] != "noexec" {
			return verdict.Bad("tmpfs", "%s: TmpfsOptions.Options %s: engines know exec and noexec only; use SizeBytes and Mode for the rest", path, verdict.Quoted(strings.Join(option, "=")))
		}
	}
	return nil
}
