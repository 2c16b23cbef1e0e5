package buildcontext

import (
	"bytes"
	"path"
	"strings"

	"sockguard/rewrite"
)

// A place is where an entry of some name is unpacked.
type place struct {
	*node        // nil if the path is not tracked
	at    string // the path, without links
	stray bool   // the path is below an untracked link: at is not where it leads
}

// locate returns where an entry called name is unpacked: the links among its
// parents are followed, the last element is not. Missing parents are noted.
//
// An untracked link is not followed, as its target is not known. An entry below
// it is refused if an element of its name after the link is on the way of a
// lookup. Any other such entry leaves the lookups alone: what it creates or
// replaces has one of those elements as its last. The one exception are the
// missing elements of the link's target, which become directories; see unsure.
func (t *tree) locate(name string) (place, error) {
	t.implied, t.vague = t.implied[:0], false
	n := &t.root
	for start := 0; ; {
		elem, _, deeper := strings.Cut(name[start:], "/")
		next, end := n.children[elem], start+len(elem)
		if next == nil || !deeper {
			return t.settle(place{node: next, at: name}, end)
		}
		switch next.kind {
		case kindSymlink:
			p, err := t.walk(name, false)
			if err != nil {
				return place{}, err
			}
			return t.locate(p.at)
		case kindFile, kindOpaque:
			return place{}, rewrite.Refusef(name, 0, "a file of the build context is in the place of a parent of this entry")
		case kindAbsent:
			t.implied = append(t.implied, name[:end])
		case kindUnknown:
			t.vague = true
		}
		next.kind, next.passed = kindDir, true
		n, start = next, end+1
	}
}

// settle checks the part of p.at that is not tracked, which begins after end, for
// links.
func (t *tree) settle(p place, end int) (place, error) {
	if end == len(p.at) {
		return p, nil
	}
	link := t.enter([]byte(p.at), end)
	if p.stray = link >= 0; p.stray && t.onWay(p.at[link+1:]) {
		return p, rewrite.Refusef(p.at, 0, "%s may be a symbolic link, so that this may be unpacked in the place of the Dockerfile or "+
			".dockerignore; send it by the name of the directory behind the link", p.at[:link])
	}
	return p, nil
}

// ordinary reports whether a file or directory of that name changes nothing that
// is tracked, and is not to be tracked itself.
func (t *tree) ordinary(name []byte) bool {
	n := &t.root
	for start := 0; ; {
		elem, _, deeper := bytes.Cut(name[start:], []byte("/"))
		next, end := n.children[string(elem)], start+len(elem)
		switch {
		case next == nil:
			return !likely(name) && (!deeper || t.enter(name, end) < 0)
		case !deeper, next.kind != kindDir, !next.passed:
			return false
		}
		n, start = next, end+1
	}
}

// onWay reports whether an element of name is on the way of a lookup.
func (t *tree) onWay(name string) bool {
	for elem := range strings.SplitSeq(name, "/") {
		if t.names[elem] {
			return true
		}
	}
	return false
}

// enter looks for a link among the untracked parents of name, of which
// name[:end] is the first. It returns the end of the first that may be one. If
// none is, it returns -1: the parents are directories, and are noted as seen.
func (t *tree) enter(name []byte, end int) int {
	last := bytes.LastIndexByte(name, '/')
	for !t.isDir(name[:last]) {
		if dir := name[:end]; !t.isDir(dir) {
			if t.links.has(dir) {
				return end
			}
			t.seen.add(dir)
		}
		if end == last {
			t.dir = append(t.dir[:0], name[:last]...)
			break
		}
		end += 1 + bytes.IndexByte(name[end+1:], '/')
	}
	return -1
}

// isDir reports whether a path is t.dir or above it.
func (t *tree) isDir(at []byte) bool {
	return bytes.HasPrefix(t.dir, at) && (len(t.dir) == len(at) || t.dir[len(at)] == '/')
}

// walk follows name from the root like the engine's own resolver: ".." at the
// root stays there, and what does not exist is taken for a directory. A lookup
// follows the last element as well, and tracks what it passes.
func (t *tree) walk(name string, lookup bool) (place, error) {
	way := []place{{node: &t.root}}
	for steps := 0; name != ""; steps++ {
		if steps > maxSteps {
			return place{}, rewrite.Refusef("", 0, "too many links or directories on the way to the Dockerfile or .dockerignore")
		}
		var elem string
		elem, name, _ = strings.Cut(name, "/")
		switch elem {
		case "", ".":
			continue
		case "..":
			way = way[:max(len(way)-1, 1)]
			continue
		}
		up := way[len(way)-1]
		next := place{at: path.Join(up.at, elem)}
		switch {
		case lookup:
			var err error
			if next.node, err = t.expect(up.node, elem, next.at); err != nil {
				return place{}, err
			}
		case up.node != nil:
			next.node = up.children[elem]
		}
		follow := lookup || name != ""
		switch {
		case follow && next.node == nil && t.links.has([]byte(next.at)):
			return place{}, rewrite.Refusef(next.at, 0, "this may be a symbolic link, and another link leads through it; name the directory behind both")
		case !follow || next.node == nil || next.kind != kindSymlink:
			way = append(way, next)
			continue
		case strings.HasPrefix(next.link, "/"):
			way = way[:1]
		}
		name = next.link + "/" + name
	}
	return way[len(way)-1], nil
}
