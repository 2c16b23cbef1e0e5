package verdict

import (
	"slices"
	"strings"
)

// A BodyKind says what the body of a request is.
type BodyKind int

// The kinds of body. Nothing else is ever read from a client.
const (
	NoBody    BodyKind = iota // dropped
	JSONBody                  // one JSON document, read whole under a ceiling
	TarBody                   // streamed as it is
	BuildBody                 // a build context, streamed through the rewrite
)

// A Route is one row of the Engine API with sockguard's verdict on it.
type Route struct {
	Method  string
	Pattern string // {name} stands for any text, slashes too; {id} for one segment
	Verdict Verdict
	Params  string // known query parameters, separated by blanks
	Body    BodyKind
	Hijack  bool              // the engine may switch protocols or answer with a raw stream
	Decide  func(*Case) error // nil if every request is refused
	Refusal Refusal           // where Decide is nil
}

// A Refusal says why a route is closed to everybody.
type Refusal struct {
	Rule string // for the log
	Why  string // the reason and what to do, for the client
}

// A Verdict says in one word what happens to requests of a route.
type Verdict string

// The verdicts on routes.
const (
	Pass   Verdict = "pass"   // it concerns no object of any owner
	Own    Verdict = "own"    // the object named must be the owner's
	Use    Verdict = "use"    // the owner's, or shared by all
	List   Verdict = "list"   // the answer is filtered
	Make   Verdict = "make"   // what is made is labelled
	Local  Verdict = "local"  // answered by sockguard itself
	Grant  Verdict = "grant"  // own, list or make, where the operator opens the swarm API
	Refuse Verdict = "refuse" // never forwarded
)

func (r *Route) decide(c *Case) error {
	if r.Decide == nil {
		return Deny(r.Refusal.Rule, "%s %s: %s", r.Method, r.Pattern, r.Refusal.Why)
	}
	if r.Verdict == Grant && !c.Swarm {
		return Deny("swarm", "%s %s: swarm is not open through this socket; use plain containers, or ask the operator for --allow-swarm", r.Method, r.Pattern)
	}
	return r.Decide(c)
}

// Knows reports whether the route has a query parameter.
func (r *Route) Knows(param string) bool {
	return slices.Contains(strings.Fields(r.Params), param)
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
