package buildcontext

import (
	"path"
	"slices"

	"sockguard/rewrite"
)

const (
	// maxFile bounds the Dockerfile and .dockerignore.
	maxFile = 1 << 20
	// maxSteps is how many path elements an engine walks when it resolves
	// symbolic links.
	maxSteps = 255
)

// The paths that an engine opens in the unpacked context.
const (
	lookupDockerfile = iota
	lookupFallback
	lookupIgnore
	lookupCount
)

// A lookup is a path that the engine will open, and the place it resolves to so
// far.
type lookup struct {
	name string // "" is no lookup
	to   place
	err  error // why the place is not known
}

// resolve resolves the lookups anew. A file that one led to, and no longer does,
// becomes stale.
func (t *tree) resolve() {
	old := t.lookups
	for i := range t.lookups {
		l := &t.lookups[i]
		if l.name != "" {
			// The name is cleaned before links are followed, and clamped to the root.
			l.to, l.err = t.walk(path.Clean("/"+l.name), true)
		}
	}
	for _, l := range old {
		if n := l.to.node; n != nil && n.kind == kindFile && !t.wanted(n) && !slices.Contains(t.stale, n) {
			t.stale = append(t.stale, n)
		}
	}
}

// expect returns the child of n on the way of a lookup.
func (t *tree) expect(n *node, elem, at string) (*node, error) {
	c := n.children[elem]
	if c == nil {
		if t.strays || t.full(1, len(elem)) || t.links.has([]byte(at)) {
			return nil, rewrite.Refusef("", 0, "the way to the Dockerfile or .dockerignore leads through %s, which may be a symbolic link that came before; "+
				"name the file itself as the Dockerfile, or send the links on the way to it first", at)
		}
		c = n.add(elem, kindUnknown)
		if n.kind == kindAbsent || n.kind == kindDir && !t.seen.has([]byte(at)) {
			c.kind, c.passed = kindAbsent, false
		}
	}
	if c.onWay = true; !t.names[elem] {
		t.names[elem] = true
		t.aimed = t.aimed || t.links != nil // the targets of earlier links are not known
	}
	return c, nil
}

// wanted reports whether an engine would read n.
func (t *tree) wanted(n *node) bool {
	return n != nil && slices.ContainsFunc(t.lookups[:], func(l lookup) bool { return l.to.node == n })
}

// dockerfile returns the lookup of the Dockerfile, once all entries are known.
func (t *tree) dockerfile() (lookup, error) {
	l, fallback := t.lookups[lookupDockerfile], t.lookups[lookupFallback]
	if t.missing(l) && fallback.name != "" && !t.missing(fallback) {
		l = fallback
	}
	if t.missing(l) {
		return l, rewrite.Refusef("", 0, "Cannot locate specified Dockerfile: %s", t.lookups[lookupDockerfile].name)
	}
	if err := t.check(l, "name the file itself as the Dockerfile"); err != nil {
		return l, err
	}
	if l.to.node == t.lookups[lookupIgnore].to.node {
		return l, rewrite.Refusef(l.name, 0, "this leads to .dockerignore, which cannot be the Dockerfile, too")
	}
	return l, nil
}

// ignorefile returns the .dockerignore, once all entries are known.
func (t *tree) ignorefile() (ignoreFile, error) {
	l := t.lookups[lookupIgnore]
	if t.missing(l) {
		return ignoreFile{}, nil
	}
	if err := t.check(l, "make .dockerignore a plain file"); err != nil {
		return ignoreFile{}, err
	}
	return newIgnoreFile(l.to.node)
}

// missing reports whether there is certainly no such file.
func (t *tree) missing(l lookup) bool {
	return l.err == nil && l.to.kind == kindAbsent && !t.unsure()
}

// unsure reports whether a file that a lookup leads to may have been a directory:
// an entry below a link creates what is missing of the link's target.
func (t *tree) unsure() bool { return t.strays && t.aimed }

// check refuses a lookup whose text is not known.
func (t *tree) check(l lookup, advice string) error {
	if l.err != nil {
		return l.err
	}
	switch l.to.kind {
	case kindFile:
		l.to.passed = l.to.passed || t.unsure()
		return nil
	case kindDir:
		return rewrite.Refusef(l.name, 0, "this is a directory")
	}
	return rewrite.Refusef(l.name, 0, "this leads to a file that is not in the build context, that has more than %d bytes, "+
		"or that came before the link to it and was not kept; %s", maxFile, advice)
}
