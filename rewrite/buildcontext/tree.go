package buildcontext

import (
	"archive/tar"
	"path"
	"strings"

	"sockguard/rewrite"
)

// Budgets of a tree. What does not fit is not forgotten but uncertain, and
// refused where it matters.
const (
	maxTreeNodes = 4096
	maxTreeNames = 1 << 20 // of names and link targets
	maxTreeFiles = 2 << 20 // of files that a later link may lead to
)

type kind uint8

const (
	kindUnknown kind = iota // nothing yet, or something that came before it was tracked
	kindAbsent              // certainly nothing yet
	kindDir
	kindFile    // with its text
	kindOpaque  // a file, without its text
	kindSymlink // to link
)

// A node is a path of the unpacked context that matters, or may yet matter, for
// finding the Dockerfile and .dockerignore.
type node struct {
	kind   kind
	ours   bool        // the path is one that sockguard writes: a file here is never sent on
	passed bool        // something of this path was sent on, or may have been
	held   *tar.Header // a file that was not sent on yet
	text   []byte
	link   string

	children map[string]*node
}

// A tree follows what an engine's unpacker does, entry by entry, as far as it
// decides which file is the Dockerfile: the last of several entries with one
// name wins, links lead where they lead in the root, a file replaces a whole
// directory. Ordinary files and directories leave no trace in it, so its size
// does not depend on the context's.
//
// What the tree says is only ever used to choose the text; whatever it says,
// the engine builds the text that sockguard wrote.
type tree struct {
	root  node
	asks  [askCount]ask
	words map[string]bool // every path element on the way to where asks lead
	stale []*node         // files that are wanted no more

	implied []string // parents that appeared with the name located last
	vague   bool     // others may have

	nodes, bytes, kept int

	seen    *pathSet // what was unpacked and is not tracked, parents included
	seenDir string   // the parent added last
	lost    *pathSet // symlinks beyond the budget
}

func newTree(dockerfile string) *tree {
	t := &tree{asks: newAsks(dockerfile), words: map[string]bool{}, seen: newPathSet()}
	// Nothing was unpacked yet, so what is not there is certainly not there.
	t.root.kind = kindAbsent
	t.resolve()
	t.root.kind = kindDir
	t.asks[askIgnore].to.ours = true
	if n := t.root.children[DockerfileName]; n != nil {
		n.ours = true
	}
	return t
}

// leave ends the use of a tree.
func (t *tree) leave() {
	t.seen.leave()
	if t.lost != nil {
		t.lost.leave()
	}
	t.seen, t.lost = nil, nil
}

// asksReserved reports whether the client's Dockerfile has the name of ours, as
// it has when one sockguard runs behind another.
func (t *tree) asksReserved() bool {
	n := t.root.children[DockerfileName]
	return n != nil && n.ours
}

// locate returns where an entry called name is unpacked: the node, nil if that
// is not tracked, and its path. Links are followed but for the last element,
// and missing parents appear.
func (t *tree) locate(name string) (*node, string, error) {
	if t.lost != nil && t.matters(name) && t.lost.hasParent(name) {
		return nil, "", rewrite.Refusef(name, 0, "this may be below one of the context's symbolic links, and there are too many "+
			"to know; exclude links with .dockerignore")
	}
	t.implied, t.vague = t.implied[:0], false
	n := &t.root
	for rest := name; ; {
		elem, more, deeper := strings.Cut(rest, "/")
		next := n.children[elem]
		if next == nil || !deeper {
			return next, name, nil
		}
		switch next.kind {
		case kindSymlink:
			at, err := t.detour(name)
			if err != nil {
				return nil, "", err
			}
			return t.locate(at)
		case kindFile, kindOpaque:
			return nil, "", rewrite.Refusef(name, 0, "a file of the build context is in the place of a parent of this entry")
		}
		switch next.kind {
		case kindAbsent:
			t.implied = append(t.implied, name[:len(name)-len(more)-1])
		case kindUnknown:
			t.vague = true
		}
		next.kind, next.passed = kindDir, true
		n, rest = next, more
	}
}

// ordinary reports whether a file or directory of that name changes nothing and
// leaves no trace.
func (t *tree) ordinary(name string) bool {
	n := &t.root
	for rest := name; ; {
		elem, more, deeper := strings.Cut(rest, "/")
		next := n.children[elem]
		switch {
		case next == nil:
			return !likely(name) && (t.lost == nil || !t.matters(name))
		case !deeper, next.kind != kindDir, !next.passed:
			return false
		}
		n, rest = next, more
	}
}

// matters reports whether name shares an element with the way to what the
// engine asks for. An entry that does not cannot be on it: links replace
// parents of a name, and the last element stays.
func (t *tree) matters(name string) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if t.words[elem] {
			return true
		}
	}
	return false
}

// detour resolves the parents of name where at least one is a link.
func (t *tree) detour(name string) (string, error) {
	at := []*node{&t.root}
	var elems []string
	last := path.Base(name)
	rest := path.Dir(name)
	for steps := 0; rest != ""; steps++ {
		if steps > maxSteps {
			return "", rewrite.Refusef(name, 0, "too many links or directories on the way to this entry")
		}
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		switch elem {
		case "", ".":
			continue
		case "..":
			if len(elems) > 0 {
				at, elems = at[:len(at)-1], elems[:len(elems)-1]
			}
			continue
		}
		var n *node
		if up := at[len(at)-1]; up != nil {
			n = up.children[elem]
		}
		if n == nil || n.kind != kindSymlink {
			at, elems = append(at, n), append(elems, elem)
			continue
		}
		if strings.HasPrefix(n.link, "/") {
			at, elems = at[:1], elems[:0]
		}
		rest = n.link + "/" + rest
	}
	return path.Join(append(elems, last)...), nil
}

// expect returns the child of n for a path that an engine asks for.
func (t *tree) expect(n *node, elem, at string) (*node, error) {
	if c := n.children[elem]; c != nil {
		return c, nil
	}
	if t.nodes >= 2*maxTreeNodes || t.lost != nil && t.lost.has(at) {
		return nil, rewrite.Refusef("", 0, "the build context has too many symbolic links to find its Dockerfile; exclude links with .dockerignore")
	}
	if n.kind == kindAbsent || n.kind == kindDir && t.lost == nil && !t.seen.has(at) {
		return t.add(n, elem, kindAbsent, false), nil
	}
	return t.add(n, elem, kindUnknown, true), nil
}

// see notes that something untracked was unpacked at a path, and does not keep at.
func (t *tree) see(at string) {
	t.seen.add(at)
	i := strings.LastIndexByte(at, '/')
	if i < 0 || at[:i] == t.seenDir {
		return
	}
	t.seenDir = strings.Clone(at[:i])
	for ; i >= 0; i = strings.LastIndexByte(at[:i], '/') {
		t.seen.add(at[:i])
	}
}

// track returns a new node for a path that was just written, or nil when there
// is no room for it.
func (t *tree) track(at string) *node {
	t.bytes += len(at)
	if t.bytes > maxTreeNames || t.nodes+strings.Count(at, "/") >= maxTreeNodes || t.lost != nil && t.lost.hasParent(at) {
		return nil
	}
	n := &t.root
	for elem := range strings.SplitSeq(at, "/") {
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
	*n = node{kind: k, link: link, ours: n.ours, passed: n.passed}
	if relink {
		t.resolve()
	}
}

// drop forgets what is below n: a file that was held back there is never sent.
func (n *node) drop() {
	for _, c := range n.children {
		c.kind, c.held = kindAbsent, nil
		c.drop()
	}
}

// directory notes that a directory was unpacked at n.
func (t *tree) directory(n *node) {
	switch {
	case n == nil:
	case n.kind == kindUnknown || n.kind == kindAbsent:
		n.kind = kindDir
	case n.kind != kindDir:
		t.replace(n, kindDir, "")
	}
}

// regular notes that a file was unpacked at n, or at path at if that is not
// tracked. It returns the node when the file's text is to be read.
func (t *tree) regular(n *node, at string, size int64) (keep *node, err error) {
	if n != nil {
		t.replace(n, kindOpaque, "")
	}
	wanted := t.wanted(n)
	if wanted && size > maxFile && n != t.asks[askFallback].to {
		return nil, rewrite.Refusef(at, 0, "this file has %d bytes; a Dockerfile or .dockerignore may have %d", size, maxFile)
	}
	fits := size <= maxFile && (wanted || likely(at) && t.kept+int(size) <= maxTreeFiles)
	if fits && n == nil {
		n = t.track(at)
	}
	if !fits || n == nil {
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

// likely reports whether a link may well lead to a file of that name.
func likely(at string) bool {
	base := strings.ToLower(at[strings.LastIndexByte(at, '/')+1:])
	return strings.Contains(base, "dockerfile") || strings.Contains(base, "containerfile") || strings.HasSuffix(base, "ignore")
}

// symlink notes that a link to target was unpacked.
func (t *tree) symlink(n *node, at, target string) error {
	if n == nil {
		n = t.track(at)
	}
	if n == nil {
		if t.matters(target) {
			return rewrite.Refusef(at, 0, "the build context has too many symbolic links to follow this one; exclude links with .dockerignore")
		}
		t.lose(at)
		return nil
	}
	t.bytes += len(target)
	t.replace(n, kindSymlink, strings.Clone(target))
	return nil
}

// hardlink notes that a second name for to was unpacked at n.
func (t *tree) hardlink(n *node, at string, to *node, toPath string) error {
	switch {
	case to != nil && to.kind == kindSymlink:
		return t.symlink(n, at, to.link)
	case to == nil && t.lost != nil && t.lost.has(toPath):
		if n != nil || t.matters(at) {
			return rewrite.Refusef(at, 0, "the build context has too many symbolic links to follow this one; exclude links with .dockerignore")
		}
		t.lose(at)
		return nil
	case n == nil && to != nil && to.kind == kindFile && likely(at):
		n = t.track(at)
	}
	if n == nil {
		return nil
	}
	if to == nil || to.kind != kindFile {
		t.replace(n, kindOpaque, "")
		return nil
	}
	text := to.text
	t.replace(n, kindFile, "")
	n.text = text
	if !t.wanted(n) {
		t.forget(n)
	}
	return nil
}

func (t *tree) lose(at string) {
	if t.lost == nil {
		t.lost = newPathSet()
	}
	t.lost.add(at)
}

// takeStale returns the files that need not be held back any more.
func (t *tree) takeStale() []*node {
	s := t.stale
	t.stale = nil
	return s
}
