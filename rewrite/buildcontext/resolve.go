package buildcontext

import (
	"path"
	"slices"
	"strings"

	"sockguard/rewrite"
)

const (
	// maxFile bounds the Dockerfile and .dockerignore.
	maxFile = 1 << 20
	// maxSteps is how many path elements an engine walks when it resolves
	// symbolic links.
	maxSteps = 255
)

// What an engine asks the unpacked context for.
const (
	askDockerfile = iota
	askFallback
	askIgnore
	askCount
)

// An ask is a name that an engine will look up, and where that leads for now.
type ask struct {
	name string // "" is not asked for
	to   *node
	err  error // why that cannot be told
}

// newAsks returns the lookups for a dockerfile= parameter. Only the exact name
// "Dockerfile" has a fallback.
func newAsks(dockerfile string) (a [askCount]ask) {
	a[askDockerfile].name = dockerfile
	if dockerfile == "" || dockerfile == "Dockerfile" {
		a[askDockerfile].name = "Dockerfile"
		a[askFallback].name = "dockerfile"
	}
	a[askIgnore].name = dockerignoreName
	return a
}

// resolve finds out anew where the asks lead. A file that one led to, and no
// longer does, becomes stale.
func (t *tree) resolve() {
	old := t.asks
	clear(t.words)
	for i := range t.asks {
		a := &t.asks[i]
		if a.name == "" {
			continue
		}
		// The name is cleaned before links are followed, and clamped to the root.
		a.to, a.err = t.follow(path.Clean("/" + a.name))
	}
	for _, a := range old {
		if a.to != nil && a.to.kind == kindFile && !t.wanted(a.to) && !slices.Contains(t.stale, a.to) {
			t.stale = append(t.stale, a.to)
		}
	}
}

// follow walks name through all links, like the engine's own resolver: ".." at
// the root stays there and what does not exist is taken for a directory.
func (t *tree) follow(name string) (*node, error) {
	at, prefix := []*node{&t.root}, []string{""}
	for steps := 0; name != ""; steps++ {
		if steps > maxSteps {
			return nil, rewrite.Refusef("", 0, "too many links or directories on the way to the Dockerfile or .dockerignore")
		}
		var elem string
		elem, name, _ = strings.Cut(name, "/")
		switch elem {
		case "", ".":
			continue
		case "..":
			if len(at) > 1 {
				at, prefix = at[:len(at)-1], prefix[:len(prefix)-1]
			}
			continue
		}
		t.words[elem] = true
		here := path.Join(prefix[len(prefix)-1], elem)
		n, err := t.expect(at[len(at)-1], elem, here)
		if err != nil {
			return nil, err
		}
		if n.kind != kindSymlink {
			at, prefix = append(at, n), append(prefix, here)
			continue
		}
		if strings.HasPrefix(n.link, "/") {
			at, prefix = at[:1], prefix[:1]
		}
		name = n.link + "/" + name
	}
	return at[len(at)-1], nil
}

// wanted reports whether an engine would read n.
func (t *tree) wanted(n *node) bool {
	for _, a := range t.asks {
		if a.to == n && n != nil {
			return true
		}
	}
	return false
}

// A found is the Dockerfile that the engine would read.
type found struct {
	name string // as asked for
	*node
}

// dockerfile returns the Dockerfile, once all entries are known.
func (t *tree) dockerfile() (found, error) {
	a, fallback := t.asks[askDockerfile], t.asks[askFallback]
	if a.missing() && fallback.name != "" && !fallback.missing() {
		a = fallback
	}
	if a.missing() {
		return found{}, rewrite.Refusef("", 0, "Cannot locate specified Dockerfile: %s", t.asks[askDockerfile].name)
	}
	if err := a.check("name the file itself as the Dockerfile"); err != nil {
		return found{}, err
	}
	if a.to == t.asks[askIgnore].to {
		return found{}, rewrite.Refusef(a.name, 0, "this leads to .dockerignore, which cannot be the Dockerfile, too")
	}
	return found{a.name, a.to}, nil
}

// ignorefile returns the .dockerignore, once all entries are known.
func (t *tree) ignorefile() (ignoreFile, error) {
	a := t.asks[askIgnore]
	if a.missing() {
		return ignoreFile{}, nil
	}
	if err := a.check("make .dockerignore a plain file"); err != nil {
		return ignoreFile{}, err
	}
	return newIgnoreFile(a.to)
}

// missing reports whether there is certainly no such file.
func (a ask) missing() bool { return a.err == nil && a.to.kind == kindAbsent }

// check refuses an ask whose text is not known.
func (a ask) check(advice string) error {
	if a.err != nil {
		return a.err
	}
	switch a.to.kind {
	case kindFile:
		return nil
	case kindDir:
		return rewrite.Refusef(a.name, 0, "this is a directory")
	case kindUnknown:
		return rewrite.Refusef(a.name, 0, "this leads to a file that is not in the build context, or that came before the link "+
			"to it and was not kept; %s", advice)
	}
	return rewrite.Refusef(a.name, 0, "this leads to a file that came before the link to it and was not kept, or that is larger than %d bytes; %s",
		maxFile, advice)
}
