package verdict

import "strings"

// IsFor reports whether an image is known to be for a platform.
func (o Object) IsFor(platform string) bool {
	if platform == "" {
		return true
	}
	want, have := strings.Split(strings.ToLower(platform), "/"), strings.Split(o.Platform, "/")
	switch {
	case len(have) < 2:
		return false
	case len(want) == 1: // a system or an architecture
		return want[0] == have[0] || canonicalArch(want[0]) == have[1]
	}
	return want[0] == have[0] && canonicalArch(want[1]) == have[1] &&
		(len(want) < 3 || len(have) < 3 || want[2] == have[2])
}

// canonicalArch spells an architecture as images do.
func canonicalArch(arch string) string {
	switch arch {
	case "x86_64", "x86-64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "i386":
		return "386"
	case "armhf", "armel":
		return "arm"
	}
	return arch
}
