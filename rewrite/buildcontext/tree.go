package buildcontext

import (
	"strings"

	"sockguard/rewrite"
)

// Budgets of a tree. The first half of nodes and names is for files that a later
// link may lead to, which go untracked beyond it. A lookup may use all.
const (
	maxTreeNodes = 4096
	maxTreeNames = 1 << 20   // bytes of names and link targets
	maxTreeFiles = 2 << 20   // bytes of files that no lookup leads to
	seenBytes    = 256 << 10 // of tree.seen
	linksBytes   = 1 << 20   // of tree.links
)

// A tree follows what an engine's unpacker does, entry by entry, as far as it
// decides which files the Dockerfile and .dockerignore are: the last of several
// entries with one name wins, links lead where they lead in the root, a file
// replaces a whole directory.
//
// It tracks the paths on the ways of the lookups, and a few files that a later
// link may lead to. Of any other entry, symbolic links included, only the path
// goes into a set of fixed size. So a tree does not grow with the context. What
// the sets cannot tell for certain is refused where it matters, never guessed.
//
// What the tree says is only used to choose the text; whatever it says, the
// engine builds the text that sockguard wrote.
type tree struct {
	root    node
	lookups [lookupCount]lookup
	names   wayNames
	stale   []*node // files that no lookup leads to any more

	implied []string // parents that the name located last has created
	vague   bool     // it may have created others

	nodes, bytes, kept int

	seen   *pathSet // what was unpacked and is not tracked, parents included
	links  *pathSet // every path that may be a symbolic link; nil before the first
	dir    []byte   // a directory: no link, nor is one above it
	strays bool     // an entry was unpacked below an untracked link
}

func newTree(dockerfile string) *tree {
	t := &tree{
		root:    node{kind: kindDir, onWay: true},
		lookups: newLookups(dockerfile),
		names:   wayNames{},
		seen:    newPathSet(seenBytes),
	}
	t.resolve()
	t.lookups[lookupIgnore].to.ours = true
	if n := t.root.children[DockerfileName]; n != nil {
		n.ours = true
	}
	return t
}

// expectsReserved reports whether the client's Dockerfile has the name of ours,
// as it has when one sockguard runs behind another.
func (t *tree) expectsReserved() bool {
	n := t.root.children[DockerfileName]
	return n != nil && n.ours
}

// unpack notes that an entry was unpacked at p, before its kind is noted.
func (t *tree) unpack(p place, isDir bool) {
	switch {
	case p.stray && !t.strays:
		// It may have replaced any path that is not on the way of a lookup.
		t.strays = true
		t.root.prune()
	case p.node == nil && !p.stray:
		t.see([]byte(p.at), isDir)
	}
}

// see notes that something was unpacked at an untracked path.
func (t *tree) see(at []byte, isDir bool) {
	t.seen.add(at)
	if isDir {
		t.dir = append(t.dir[:0], at...)
	}
}

// full reports whether there is no room for n more nodes.
func (t *tree) full(n int) bool { return t.nodes+n > maxTreeNodes || t.bytes > maxTreeNames }

// directory notes that a directory was unpacked at p.
func (t *tree) directory(p place) {
	switch {
	case p.node == nil:
	case p.kind == kindUnknown || p.kind == kindAbsent:
		p.kind = kindDir
	case p.kind != kindDir:
		t.replace(p.node, kindDir, "")
	}
}

// regular notes that a file was unpacked at p. It returns the node when the
// file's text is to be read.
func (t *tree) regular(p place, size int64) (keep *node, err error) {
	if p.node != nil {
		t.replace(p.node, kindOpaque, "")
	}
	wanted := t.wanted(p.node)
	if wanted && size > maxFile && p.node != t.lookups[lookupFallback].to.node {
		return nil, rewrite.Refusef(p.at, 0, "this file has %d bytes; a Dockerfile or .dockerignore may have %d", size, maxFile)
	}
	if size > maxFile || !wanted && (!likely(p.at) || t.kept+int(size) > maxTreeFiles) {
		return nil, nil
	}
	n := t.track(p)
	if n == nil {
		return nil, nil
	}
	if !wanted {
		t.kept += int(size)
	}
	n.kind = kindFile
	return n, nil
}

// forget lets go of the text of a file that is wanted no more, unless there is
// room for it.
func (t *tree) forget(n *node) {
	if t.kept+len(n.text) > maxTreeFiles {
		n.kind, n.text = kindOpaque, nil
	}
	t.kept += len(n.text)
}

// symlink notes that a link to target was unpacked at p.
func (t *tree) symlink(p place, target string) error {
	t.link(p)
	t.names.aim(target)
	if p.node == nil && likely(p.at) {
		p.node = t.track(p)
	}
	if p.node == nil {
		return nil
	}
	if t.bytes += len(target); t.full(0) {
		return rewrite.Refusef(p.at, 0, "too many symbolic links on the way to the Dockerfile or .dockerignore")
	}
	t.replace(p.node, kindSymlink, strings.Clone(target))
	return nil
}

// link notes that p may be a symbolic link.
func (t *tree) link(p place) {
	if t.links == nil {
		t.links = newPathSet(linksBytes)
	}
	if at := []byte(p.at); p.stray {
		t.links.addAll()
		t.dir = t.dir[:0]
	} else {
		t.links.add(at)
		if t.isDir(at) {
			t.dir = t.dir[:0]
		}
	}
}

// hardlink notes that a second name for what is at to was unpacked at p.
func (t *tree) hardlink(p, to place) error {
	switch {
	case to.node == nil && (to.stray || t.links.has([]byte(to.at))):
		if p.node != nil {
			return rewrite.Refusef(p.at, 0, "this is a hard link to %s, which may be a symbolic link; send the symbolic link twice", to.at)
		}
		t.link(p)
		for elem := range t.names {
			t.names[elem] = true
		}
		return nil
	case to.node != nil && to.kind == kindSymlink:
		return t.symlink(p, to.link)
	case p.node == nil && to.node != nil && to.kind == kindFile && likely(p.at):
		p.node = t.track(p)
	}
	if p.node == nil {
		return nil
	}
	if to.node == nil || to.kind != kindFile {
		t.replace(p.node, kindOpaque, "")
		return nil
	}
	text := to.text
	t.replace(p.node, kindFile, "")
	p.text = text
	if !t.wanted(p.node) {
		t.forget(p.node)
	}
	return nil
}

// track returns the node of a place, making one if there is room.
func (t *tree) track(p place) *node {
	if p.node != nil {
		return p.node
	}
	t.bytes += len(p.at)
	if t.strays || 2*t.bytes > maxTreeNames || 2*(t.nodes+1+strings.Count(p.at, "/")) > maxTreeNodes {
		return nil
	}
	n := &t.root
	for elem := range strings.SplitSeq(p.at, "/") {
		c := n.children[elem]
		if c == nil {
			c = t.add(n, elem, kindDir, true)
		}
		n = c
	}
	return n
}

func (t *tree) add(n *node, elem string, k kind, passed bool) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c := &node{kind: k, passed: passed}
	n.children[strings.Clone(elem)] = c
	t.nodes++
	return c
}

// replace makes n something else, removing what was below it.
func (t *tree) replace(n *node, k kind, link string) {
	relink := n.kind == kindSymlink || k == kindSymlink || len(n.children) > 0
	n.drop()
	*n = node{kind: k, link: link, onWay: n.onWay, ours: n.ours, passed: n.passed}
	if relink {
		t.resolve()
	}
}

// takeStale returns the files that need not be held back any more.
func (t *tree) takeStale() []*node {
	s := t.stale
	t.stale = nil
	return s
}
