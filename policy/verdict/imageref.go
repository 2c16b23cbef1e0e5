package verdict

import "strings"

// Engines look a bare name up as a tag first, and as the beginning of an ID next.
// So a tag that looks like the beginning of another owner's ID (0082348395b0)
// comes to mean that owner's image as soon as the tag is removed, which may
// happen between sockguard's look and the engine's.

// Mistakable reports whether ref, which names o by a tag, could be the beginning
// of an ID.
func Mistakable(ref string, o Object) bool {
	return strings.Trim(ref, "0123456789abcdef") == "" && !strings.HasPrefix(strings.TrimPrefix(o.ID, "sha256:"), ref)
}

// PinnedRef is ref in a form that engines can resolve to o only, or to nothing: a
// part of an ID is completed, a tag that looks like one is written with
// ":latest", any other name stays.
func PinnedRef(ref string, o Object) string {
	switch hex := strings.TrimPrefix(ref, "sha256:"); {
	case Mistakable(ref, o):
		return ref + ":latest"
	case strings.HasPrefix(strings.TrimPrefix(o.ID, "sha256:"), hex):
		return o.ID
	}
	return ref
}
