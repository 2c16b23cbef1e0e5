package verdict

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Request is an Engine API request in canonical form. Nothing that it does not
// hold is sent upstream, except a streamed body.
type Request struct {
	Method  string
	Route   *Route
	Version Version // zero when the client named none
	Name    string  // the text for {name} or {id} of the route, decoded
	Query   url.Values
	Body    []byte // of a JSON route, complete; nil when there is none
}

// A Version is an Engine API version, /vMAJOR.MINOR in a path.
type Version struct{ Major, Minor int }

// ParseVersion reads "1.41".
func ParseVersion(s string) (Version, bool) {
	a, b, ok := strings.Cut(s, ".")
	major, errA := strconv.ParseUint(a, 10, 16)
	minor, errB := strconv.ParseUint(b, 10, 16)
	return Version{int(major), int(minor)}, ok && errA == nil && errB == nil
}

func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }

// Less reports whether v is older than w.
func (v Version) Less(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

// IsTrue reads a boolean parameter as engines do: "", 0, no, false and none are
// false, any other text is true.
func IsTrue(s string) bool {
	return !slices.Contains([]string{"", "0", "no", "false", "none"}, strings.ToLower(strings.TrimSpace(s)))
}
