// Package policy holds the routes of the Engine API, each with a verdict, and
// parses requests. The packages below it decide on one part of the API each.
//
// [Parse] returns a [verdict.Request]. [verdict.Policy.Decide] turns it into a
// [verdict.Decision], from which the upstream request is built anew, or into an
// error that wraps [verdict.Denied]. These packages do no I/O: they ask a
// [verdict.Inspector] what exists on the engine.
package policy

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"sockguard/policy/verdict"
)

// minVersion is the oldest API version that a client may use. In older ones, which
// Engine 20.10 serves, POST /start takes a HostConfig.
var minVersion = verdict.Version{Major: 1, Minor: 25}

// Parse finds the route of a request and checks its path and query.
//
// Paths match decoded, as in the engine's router: %2F is a slash. A path that the
// engine would redirect (//, ., ..) is refused, never forwarded. Only
// /vMAJOR.MINOR counts as a version.
func Parse(method string, u *url.URL) (*verdict.Request, error) {
	p := u.Path
	if p == "" || p[0] != '/' || path.Clean(p) != strings.TrimSuffix(p, "/") && p != "/" {
		return nil, verdict.Bad("path", "unclean path %q: it would be redirected; send the clean one", p)
	}
	if i := strings.IndexFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return nil, verdict.Bad("path", "control character in the path; remove it")
	}
	version, rest, err := cutVersion(p)
	if err != nil {
		return nil, err
	}
	route, name := match(method, rest)
	if route == nil {
		return nil, verdict.Unopened("route", "%s %s is not a route of the Docker Engine API that sockguard knows", method, p)
	}
	query, err := parseQuery(route, u.RawQuery)
	if err != nil {
		return nil, err
	}
	return &verdict.Request{Method: method, Route: route, Version: version, Name: name, Query: query}, nil
}

// cutVersion splits "/v1.41/x" into 1.41 and "/x".
func cutVersion(p string) (verdict.Version, string, error) {
	first, rest, _ := strings.Cut(p[1:], "/")
	digits, ok := strings.CutPrefix(first, "v")
	if !ok || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return verdict.Version{}, p, nil
	}
	v, ok := verdict.ParseVersion(digits)
	if !ok {
		return v, p, verdict.Bad("version", "API version %q is not of the form v1.41; use that form", first)
	}
	if v.Less(minVersion) {
		return v, p, verdict.Bad("version", "client version %s is too old: sockguard speaks %s and newer; set DOCKER_API_VERSION=%s", v, minVersion, minVersion)
	}
	return v, "/" + rest, nil
}

// parseQuery decodes a query. A pair that Go or the engine would drop without an
// error is refused, and so is a parameter that the route does not know.
func parseQuery(route *verdict.Route, raw string) (url.Values, error) {
	if strings.Contains(raw, ";") {
		return nil, verdict.Bad("query", "semicolon in the query: engines disagree on its meaning; write %%3B")
	}
	all, err := url.ParseQuery(raw)
	if err != nil {
		return nil, verdict.Bad("query", "the query cannot be decoded: %v; encode it as application/x-www-form-urlencoded", err)
	}
	known := make(url.Values, len(all))
	for name, values := range all {
		switch {
		case ignoredParam(name) && !route.Knows(name):
		case !route.Knows(name):
			return nil, verdict.Bad("query", "unknown parameter %q of %s %s; remove it", name, route.Method, route.Pattern)
		case multiParam(name):
			known[name] = values
		default:
			known[name] = values[:1] // the engine reads the first one
		}
	}
	return known, nil
}

// multiParam reports whether the engine reads every value of a parameter.
func multiParam(name string) bool {
	return slices.Contains([]string{"t", "extrahosts", "changes", "names", "type", "platforms", "securityopt"}, name)
}

// ignoredParam reports whether a parameter is one that clients send and no engine
// reads. It is not forwarded. docker-py and old CLIs send those listed; dockerode
// repeats the members of the body, which begin with a capital.
func ignoredParam(name string) bool {
	if name != "" && 'A' <= name[0] && name[0] <= 'Z' {
		return true
	}
	return slices.Contains([]string{"trunc_cmd", "only_ids", "hijack", "viz", "_body", "_query"}, name)
}
