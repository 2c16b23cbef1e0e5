package verdict

import (
	"crypto/rand"
	"path"
	"slices"
	"strings"
	"sync"
)

// Repositories of names that sockguard gives by itself. No owner may give a name in
// them.
const (
	// TwinRepository has the labelled twins of images, see [Builder].
	TwinRepository = "sockguard-twin"
	// InterimRepository has the names that images of an archive have until they
	// get their own, see [Names.Interim].
	InterimRepository = "sockguard-load"
)

// Names are the names that a client gives to the image that its request makes or
// pulls. They are not sent with the request. They are given afterwards, by the
// image's ID, and what each name means is looked up at that moment: a client can
// make a request last, and a name may be taken meanwhile.
type Names struct {
	// Refs are the names, familiar ones with a tag. Those of an image archive are
	// found on the way.
	Refs []string
	// May decides whether image o may have a name now.
	May func(ref string, o Object) error

	mu      sync.Mutex
	interim map[string]string // names of an archive, by interim name
}

// Interim returns a name that nobody can guess. An image archive has it in place of
// ref, by which its image is found when it is loaded.
func (n *Names) Interim(ref string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.interim == nil {
		n.interim = map[string]string{}
	}
	name := InterimRepository + ":" + rand.Text()
	n.interim[name] = ref
	return name
}

// Settle returns the name that an interim one stands for, once.
func (n *Names) Settle(interim string) (ref string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ref, ok = n.interim[interim]
	delete(n.interim, interim)
	return ref, ok
}

// Show puts names into a message of the engine that has interim ones.
func (n *Names) Show(message string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for interim, ref := range n.interim {
		message = strings.ReplaceAll(strings.ReplaceAll(message, "docker.io/library/"+interim, ref), interim, ref)
	}
	return message
}

// Unsettled returns the interim names that are left, and forgets them.
func (n *Names) Unsettled() (list []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for interim := range n.interim {
		list = append(list, interim)
	}
	n.interim = nil
	return list
}

// AllowsTag reports whether an owner may give names in a repository, by its
// familiar name.
func (g *Grants) AllowsTag(repository string) bool {
	return g.TagPatterns == nil || slices.ContainsFunc(g.TagPatterns, func(pattern string) bool {
		ok, err := path.Match(pattern, repository)
		return ok && err == nil
	})
}
