package buildcontext

import (
	"cmp"
	"strings"
	"sync"

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
type tree struct {
	root    node
	lookups [lookupCount]lookup
	names   map[string]bool // path elements on the ways of lookups
	stale   []*node         // files that no lookup leads to any more

	implied []string // parents that the name located last has created
	vague   bool     // it may have created others

	nodes, bytes, kept int

	seen   *pathSet // what was unpacked and is not tracked, parents included
	links  *pathSet // every path that may be a symbolic link; nil before the first
	dir    []byte   // a directory: no link, nor is one above it
	aimed  bool     // an untracked link may have one of names in its target
	strays bool     // an entry was unpacked below an untracked link
}

// seenSets holds empty sets of seenBytes.
var seenSets = sync.Pool{New: func() any { return newPathSet(seenBytes) }}

// close leaves the memory of a tree to the next one.
func (t *tree) close() {
	clear(t.seen.bits)
	seenSets.Put(t.seen)
	t.seen = nil
}

// newTree returns the tree of an empty context, for a dockerfile= parameter. Only
// the exact name "Dockerfile" has a fallback.
func newTree(dockerfile string) *tree {
	t := &tree{root: node{kind: kindDir, onWay: true}, names: map[string]bool{}, seen: seenSets.Get().(*pathSet)}
	t.lookups[lookupDockerfile].name = cmp.Or(dockerfile, "Dockerfile")
	if t.lookups[lookupDockerfile].name == "Dockerfile" {
		t.lookups[lookupFallback].name = "dockerfile"
	}
	t.lookups[lookupIgnore].name = dockerignoreName
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

// unpack notes that an entry was unpacked at p. What it is, is noted after that.
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

// full counts nodes and bytes of names and targets, and reports whether these
// are more than a tree has room for.
func (t *tree) full(nodes, bytes int) bool {
	t.nodes, t.bytes = t.nodes+nodes, t.bytes+bytes
	return t.nodes > maxTreeNodes || t.bytes > maxTreeNames
}

// directory notes that a directory was unpacked at p.
func (t *tree) directory(p place) {
	switch {
	case p.node == nil, p.kind == kindDir:
	case p.kind == kindUnknown, p.kind == kindAbsent:
		p.kind = kindDir
	default:
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
	if size > maxFile || !wanted && !likely([]byte(p.at)) || !t.keep(p.node, int(size)) {
		return nil, nil
	}
	if keep = t.track(p); keep != nil {
		keep.kind = kindFile
	}
	return keep, nil
}

// keep reports whether there is room for the text of a file.
func (t *tree) keep(n *node, size int) bool {
	wanted := t.wanted(n)
	if !wanted && t.kept+size <= maxTreeFiles {
		t.kept += size
		return true
	}
	return wanted
}

// symlink notes that a link to target was unpacked at p.
func (t *tree) symlink(p place, target string) error {
	t.link(p)
	t.aimed = t.aimed || t.onWay(target)
	if likely([]byte(p.at)) {
		p.node = t.track(p)
	}
	if p.node == nil {
		return nil
	}
	if t.full(0, len(target)) {
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
	if p.stray {
		t.links.addAll() // it may be anywhere
	}
	t.links.add([]byte(p.at))
	if p.stray || t.isDir([]byte(p.at)) {
		t.dir = t.dir[:0]
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
		t.aimed = true
		return nil
	case to.node != nil && to.kind == kindSymlink:
		return t.symlink(p, to.link)
	case to.node != nil && likely([]byte(p.at)):
		p.node = t.track(p)
	}
	if p.node == nil {
		return nil
	}
	var from node
	if to.node != nil {
		from = *to.node
	}
	t.replace(p.node, kindOpaque, "")
	if from.kind == kindFile && t.keep(p.node, len(from.text)) {
		p.kind, p.text = kindFile, from.text
	}
	return nil
}

// track returns the node of a place, making one if there is room.
func (t *tree) track(p place) *node {
	if p.node != nil {
		return p.node
	}
	if t.strays || 2*t.nodes > maxTreeNodes || 2*t.bytes > maxTreeNames || t.full(1+strings.Count(p.at, "/"), len(p.at)) {
		return nil
	}
	n := &t.root
	for elem := range strings.SplitSeq(p.at, "/") {
		c := n.children[elem]
		if c == nil {
			c = n.add(elem, kindDir)
		}
		n = c
	}
	return n
}

// add returns a new child of n, of which something may have been sent.
func (n *node) add(elem string, k kind) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c := &node{kind: k, passed: true}
	n.children[strings.Clone(elem)] = c
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
