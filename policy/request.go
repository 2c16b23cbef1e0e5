package policy

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// A Version is an Engine API version, /vMAJOR.MINOR in a path.
type Version struct{ Major, Minor int }

// minVersion is the oldest API a client may speak: below it /start takes a
// HostConfig (Engine 20.10 still serves 1.12).
var minVersion = Version{1, 25}

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

// A Request is an Engine API request in canonical form. It holds everything
// that will be sent upstream; nothing of the client's own bytes is kept.
type Request struct {
	Method  string
	Route   *Route
	Version Version // zero when the client named none
	Name    string  // what {name} or {id} of the route stands for, decoded
	Query   url.Values
	Body    []byte // of a JSON route, complete; nil when there is none
}

// Parse finds the route of a request and checks its path and query.
//
// Paths match decoded, as the engine's router does it: %2F is a slash. What the
// engine would redirect (//, ., ..) is refused, never forwarded. Only
// /vMAJOR.MINOR counts as a version.
func Parse(method string, u *url.URL) (*Request, error) {
	p := u.Path
	if p == "" || p[0] != '/' || path.Clean(p) != strings.TrimSuffix(p, "/") && p != "/" {
		return nil, bad("path", "unclean path %q: it would be redirected; send the clean one", p)
	}
	if i := strings.IndexFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return nil, bad("path", "control character in the path; remove it")
	}
	version, rest, err := cutVersion(p)
	if err != nil {
		return nil, err
	}
	route, name := match(method, rest)
	if route == nil {
		return nil, unopened("route", "%s %s is not a route of the Docker Engine API that sockguard knows", method, p)
	}
	query, err := parseQuery(route, u.RawQuery)
	if err != nil {
		return nil, err
	}
	return &Request{Method: method, Route: route, Version: version, Name: name, Query: query}, nil
}

// cutVersion splits "/v1.41/x" into 1.41 and "/x".
func cutVersion(p string) (Version, string, error) {
	first, rest, _ := strings.Cut(p[1:], "/")
	digits, ok := strings.CutPrefix(first, "v")
	if !ok || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return Version{}, p, nil
	}
	v, ok := ParseVersion(digits)
	if !ok {
		return v, p, bad("version", "API version %q is not of the form v1.41; use that form", first)
	}
	if v.Less(minVersion) {
		return v, p, bad("version", "client version %s is too old: sockguard speaks %s and newer; set DOCKER_API_VERSION=%s", v, minVersion, minVersion)
	}
	return v, "/" + rest, nil
}

// parseQuery decodes a query strictly: a pair that Go or the engine would drop
// in silence is an error, so is a parameter that the route does not know.
func parseQuery(route *Route, raw string) (url.Values, error) {
	if strings.Contains(raw, ";") {
		return nil, bad("query", "semicolon in the query: engines disagree on its meaning; write %%3B")
	}
	all, err := url.ParseQuery(raw)
	if err != nil {
		return nil, bad("query", "the query cannot be decoded: %v; encode it as application/x-www-form-urlencoded", err)
	}
	known := make(url.Values, len(all))
	for name, values := range all {
		switch {
		case ignoredParam(name) && !route.knows(name):
		case !route.knows(name):
			return nil, bad("query", "unknown parameter %q of %s %s; remove it", name, route.Method, route.Pattern)
		case multiParam(name):
			known[name] = values
		default:
			known[name] = values[:1] // the engine reads the first one
		}
	}
	return known, nil
}

// multiParam names the parameters of which the engine reads every value.
func multiParam(name string) bool {
	switch name {
	case "t", "extrahosts", "changes", "names", "type", "platforms", "securityopt":
		return true
	}
	return false
}

// ignoredParam names parameters that clients send and no engine reads
// (docker-py, the CLI of old; dockerode repeats the members of a body, which all
// begin with a capital). They are not forwarded.
func ignoredParam(name string) bool {
	if name != "" && 'A' <= name[0] && name[0] <= 'Z' {
		return true
	}
	switch name {
	case "trunc_cmd", "only_ids", "hijack", "viz", "_body", "_query":
		return true
	}
	return false
}
