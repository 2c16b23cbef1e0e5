package policy

import "strings"

// Engines take a bare name for a tag first and for the beginning of an ID next.
// A tag of one's own called like another owner's ID, 0082348395b0, would stand
// for that image the moment the tag goes: between our look and the engine's.

// mistakable reports whether ref, which names o by a tag, could be the beginning
// of an ID.
func mistakable(ref string, o Object) bool {
	return strings.Trim(ref, "0123456789abcdef") == "" && !strings.HasPrefix(strings.TrimPrefix(o.ID, "sha256:"), ref)
}

// pinnedRef is ref in a form that engines cannot take for anything but o or
// nothing: a part of an ID is completed, a tag that looks like one is spelled
// out, any other name stays.
func pinnedRef(ref string, o Object) string {
	switch hex := strings.TrimPrefix(ref, "sha256:"); {
	case mistakable(ref, o):
		return ref + ":latest"
	case strings.HasPrefix(strings.TrimPrefix(o.ID, "sha256:"), hex):
		return o.ID
	}
	return ref
}
