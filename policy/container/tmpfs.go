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

// checkTmpfs decides HostConfig.Tmpfs, and covers its mount points.
func checkTmpfs(d *Draft, path string, tmpfs map[string]string) error {
	for target, options := range tmpfs {
		if options != "" && !volume.TmpfsOptions(options) {
			return field.Deny(path, verdict.Quoted(options), "a tmpfs may have size, mode, uid, gid, nr_inodes, nr_blocks, ro, rw, exec, noexec, nosuid, nodev, noatime, nodiratime and relatime, "+
				"and other options of mount reach beyond it", "")
		}
		d.cover(target)
	}
	return nil
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
