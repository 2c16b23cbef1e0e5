package policy

import (
	"iter"
	"slices"
	"strings"
)

// A BodyKind is what a request body of a route is.
type BodyKind int

// The kinds of body. Nothing but these is ever read from a client.
const (
	NoBody    BodyKind = iota // dropped
	JSONBody                  // one JSON document, read whole under a ceiling
	TarBody                   // streamed as it is
	BuildBody                 // a build context, streamed through the rewrite
)

// A Route is one row of the Engine API with sockguard's verdict on it.
type Route struct {
	Method  string
	Pattern string // {name} stands for anything, slashes too; {id} for one segment
	Verdict Verdict
	Params  string // known query parameters, separated by blanks
	Body    BodyKind
	Hijack  bool // the engine may switch protocols or answer with a raw stream
	decide  func(*call) error
}

// A Verdict says in one word what happens to requests of a route.
type Verdict string

// The verdicts.
const (
	Pass   Verdict = "pass"   // nothing in it is anybody's
	Own    Verdict = "own"    // the object named must be the owner's
	Use    Verdict = "use"    // the owner's, or shared by all
	List   Verdict = "list"   // the answer is filtered
	Make   Verdict = "make"   // what is made is labelled
	Local  Verdict = "local"  // answered by sockguard itself
	Grant  Verdict = "grant"  // own, list or make, where the operator opens it
	Refuse Verdict = "refuse" // never forwarded
)

// Routes yields the whole table, in the order in which routes are tried.
func Routes() iter.Seq[Route] { return slices.Values(table) }

// knows reports whether the route has the query parameter.
func (r *Route) knows(param string) bool {
	for known := range strings.FieldsSeq(r.Params) {
		if known == param {
			return true
		}
	}
	return false
}

// Path puts name into the pattern: the path to forward, without a version.
func (r *Route) Path(name string) string {
	before, rest, found := strings.Cut(r.Pattern, "{")
	if !found {
		return r.Pattern
	}
	_, after, _ := strings.Cut(rest, "}")
	return before + name + after
}

// byMethod keeps the order of the table within each method.
var byMethod = func() map[string][]*Route {
	m := make(map[string][]*Route)
	for i := range table {
		m[table[i].Method] = append(m[table[i].Method], &table[i])
	}
	return m
}()

// match finds the route of a clean, decoded path without a version.
func match(method, path string) (*Route, string) {
	for _, r := range byMethod[method] {
		if name, ok := matchPattern(r.Pattern, path); ok {
			return r, name
		}
	}
	return nil, ""
}

// matchPattern compares a path with a pattern and returns what the first
// wildcard stands for. {name} takes as much as it can, as the engine's
// {name:.*} does, so the fixed text after it is the last such text of the path.
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
