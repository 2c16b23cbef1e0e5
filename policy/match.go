package policy

import (
	"iter"
	"slices"
	"strings"

	"sockguard/policy/verdict"
)

// Routes yields the whole table, in the order in which routes are tried.
func Routes() iter.Seq[verdict.Route] { return slices.Values(table) }

// match finds the route of a clean, decoded path without a version.
func match(method, path string) (*verdict.Route, string) {
	for i := range table {
		if table[i].Method != method {
			continue
		}
		if name, ok := matchPattern(table[i].Pattern, path); ok {
			return &table[i], name
		}
	}
	return nil, ""
}

// matchPattern compares a path with a pattern and returns the text for the first
// wildcard. {name} is greedy, as the engine's {name:.*} is: the fixed text after
// it is the end of the path.
func matchPattern(pattern, path string) (name string, ok bool) {
	before, rest, wild := strings.Cut(pattern, "{")
	if !wild {
		return "", pattern == path
	}
	path, ok = strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	wildcard, after, _ := strings.Cut(rest, "}")
	if strings.Contains(after, "{") {
		name, tail, ok := strings.Cut(path, "/")
		if !ok || name == "" {
			return "", false
		}
		_, ok = matchPattern(after, "/"+tail)
		return name, ok
	}
	name, ok = strings.CutSuffix(path, after)
	if !ok || wildcard == "id" && (name == "" || strings.Contains(name, "/")) {
		return "", false
	}
	return name, true
}
