// Package rewrite has what the packages below it share. Those turn the bytes that
// a client sends into the bytes that an engine may get: package dockerfile the text of
// a Dockerfile, buildcontext the tar of a build, load an image archive,
// rawjson JSON bodies and lists.
//
// They work on streams, use no temporary files and do no network I/O. A decision
// that needs more than the input, such as whether a base image may be used, is
// left to a func field. What a client can make large has a limit, and going over
// it is a [Refusal].
package rewrite

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Refusal is an error that the client can mend: the input is not allowed, or
// its meaning is not certain.
type Refusal struct {
	File   string // path in the build context or archive, "" for the whole input
	Line   int    // 1-based physical line of File, 0 for the whole file
	Reason string // what is refused, why, and what to do
}

func (r *Refusal) Error() string {
	switch {
	case r.File == "":
		return r.Reason
	case r.Line == 0:
		return fmt.Sprintf("%s: %s", r.File, r.Reason)
	}
	return fmt.Sprintf("%s line %d: %s", r.File, r.Line, r.Reason)
}

// Refusef returns a [*Refusal] with a formatted reason.
func Refusef(file string, line int, format string, args ...any) error {
	return &Refusal{File: file, Line: line, Reason: Clip(fmt.Sprintf(format, args...))}
}

// maxText bounds a message. What a client sends may be quoted in one.
const maxText = 4 << 10

// Clip cuts a message to the longest length that is shown and logged.
func Clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "..."
}

// A Label is one image label.
type Label struct{ Key, Value string }

// Check reports why a label cannot be written into a Dockerfile. A key may have
// ASCII letters, digits and . _ / -; a value is UTF-8 without control characters.
func (l Label) Check() error {
	switch {
	case l.Key == "" || strings.ContainsFunc(l.Key, notInKey):
		return fmt.Errorf("label key %q: only letters, digits and . _ / - can be written", l.Key)
	case !utf8.ValidString(l.Value) || strings.ContainsFunc(l.Value, unicode.IsControl):
		return fmt.Errorf("label %s: the value %q is not printable text", l.Key, l.Value)
	}
	return nil
}

func notInKey(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '-' || r > '9') && r != '_' // - . / and digits
}

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
