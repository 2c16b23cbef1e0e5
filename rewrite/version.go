package rewrite

import (
	"strconv"
	"strings"
)

// An EngineVersion is the release of a Docker Engine. The zero value is unknown.
type EngineVersion struct{ Major, Minor int }

// ParseEngineVersion reads the Version of GET /version: "20.10.24+dfsg1" is
// 20.10, "28.5.2" is 28.5. Text of another form, such as that of a development
// build, is an unknown version.
func ParseEngineVersion(s string) EngineVersion {
	major, rest, ok := strings.Cut(s, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if !ok || errA != nil || errB != nil || a < 1 || b < 0 {
		return EngineVersion{}
	}
	return EngineVersion{a, b}
}

// Known reports whether the version is known.
func (v EngineVersion) Known() bool { return v.Major != 0 }

// Before reports whether v is older than major.minor.
func (v EngineVersion) Before(major, minor int) bool {
	return v.Major < major || v.Major == major && v.Minor < minor
}
