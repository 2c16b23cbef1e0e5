package buildcontext

import (
	"archive/tar"
	"bytes"
)

type kind uint8

const (
	kindUnknown kind = iota // nothing, a file or a directory: no link
	kindAbsent              // nothing
	kindDir
	kindFile    // a file with its text
	kindOpaque  // a file without its text
	kindSymlink // a symbolic link to node.link
)

// A node is a tracked path of the unpacked context.
type node struct {
	kind   kind
	onWay  bool        // a lookup goes through the path, or did
	ours   bool        // sockguard writes the path: a file here is never sent
	passed bool        // an entry of the path was sent, or may have been
	held   *tar.Header // of a file that was not sent yet
	text   []byte
	link   string

	children map[string]*node
}

// drop notes that everything below n is removed. A file that was held back
// there is never sent.
func (n *node) drop() {
	for _, c := range n.children {
		c.kind, c.held = kindAbsent, nil
		c.drop()
	}
}

// prune stops tracking what is below n, except for the ways of lookups.
func (n *node) prune() {
	for elem, c := range n.children {
		if !c.onWay {
			delete(n.children, elem)
		}
		c.prune()
	}
}

// likely reports whether a link may lead to a file of that name as the
// Dockerfile or .dockerignore.
func likely(at []byte) bool {
	base := at[bytes.LastIndexByte(at, '/')+1:]
	return hasFold(base, "dockerfile") || hasFold(base, "containerfile") || hasFold(base[max(len(base)-6, 0):], "ignore")
}

// hasFold reports whether s contains the lower-case word in any case.
func hasFold(s []byte, word string) bool {
	for ; len(s) >= len(word); s = s[1:] {
		if s[0]|0x20 == word[0] && bytes.EqualFold(s[:len(word)], []byte(word)) {
			return true
		}
	}
	return false
}
