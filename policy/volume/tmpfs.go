package volume

import (
	"regexp"
	"strings"
)

// tmpfsOption matches the options of a tmpfs that concern only itself. Engines pass
// any option of mount(8) on, those that bind and share mounts too.
var tmpfsOption = regexp.MustCompile(`^(defaults|ro|rw|nodev|(no)?(exec|suid|atime|diratime|relatime|strictatime)|a?sync|dirsync|(size|nr_inodes|nr_blocks)=[0-9]+[kKmMgGtT%]?|mode=[0-7]{1,5}|[ug]id=[0-9]+)$`)

// TmpfsOptions reports whether a tmpfs may have the options, which commas separate.
func TmpfsOptions(options string) bool {
	for option := range strings.SplitSeq(options, ",") {
		if !tmpfsOption.MatchString(option) {
			return false
		}
	}
	return true
}
