package buildcontext

import (
	"archive/tar"
	"bytes"
	"path"
	"path/filepath"
	"strings"

	"sockguard/rewrite"
	"sockguard/rewrite/tarcopy"
)

// quick sends the next entry on as it is, if it is a file or a directory with a
// plain header that the tree has no use for, as nearly all entries are. For any
// other it reports false, with nothing read.
func (c *rewriter) quick() (bool, error) {
	raw, size, ok, err := c.Plain()
	if !ok || err != nil || c.CheckSize(size) != nil {
		return false, err
	}
	name, ok := cleanName(raw)
	if !ok || bytes.HasPrefix(name, []byte(DockerfileName)) || !c.files.ordinary(name) {
		return false, nil
	}
	if err := c.count(); err != nil {
		return false, err
	}
	c.files.see(name, raw[len(raw)-1] == '/')
	return true, c.Pass(size) // from here on the name may be overwritten
}

// cleanName returns the path that an engine would create for a name. It reports
// false for the root and for a name that needs more than the removal of "./" at
// the beginning and of a slash at the end.
func cleanName(raw []byte) ([]byte, bool) {
	name := bytes.TrimSuffix(bytes.TrimPrefix(raw, []byte("./")), []byte("/"))
	for elem := range bytes.SplitSeq(name, []byte("/")) {
		switch string(elem) {
		case "", ".", "..":
			return nil, false
		}
	}
	return name, true
}

// count counts an entry and refuses one too many.
func (c *rewriter) count() error {
	c.entries++
	if limit := c.opts.MaxEntries; limit > 0 && c.entries > limit {
		return rewrite.Refusef("", 0, "the build context has more than %d entries, the limit here; exclude files with .dockerignore", limit)
	}
	return nil
}

// entry sends one entry on, holds it back or refuses it.
func (c *rewriter) entry(h *tar.Header) error {
	if err := c.count(); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // engines ignore it
	}
	if err := checkType(h); err != nil {
		return err
	}
	name, err := entryName(h.Name)
	if err != nil {
		return err
	}
	switch {
	case name == ".":
		return nil // engines skip the root
	case isReserved(name) && !c.files.expectsReserved():
		return nil // ours replaces it
	case isReserved(name) && (name != DockerfileName || h.Typeflag != tar.TypeReg):
		return rewrite.Refusef(h.Name, 0, "this name is reserved, and must be a plain file when it is the Dockerfile")
	}
	if err := c.CheckSize(h.Size); err != nil {
		return err
	}
	return c.place(h, name)
}

// checkType refuses what has no meaning in a build context and makes header-only
// types consistent.
func checkType(h *tar.Header) error {
	what := "has the tar type " + string(rune(h.Typeflag))
	switch h.Typeflag {
	case tar.TypeReg:
		return nil
	case tar.TypeGNUSparse:
		// The reader fills the holes; engines do not know the type.
		h.Typeflag, h.Format = tar.TypeReg, tar.FormatUnknown
		return nil
	case tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
		h.Size = 0
		if len(h.Linkname) > tarcopy.MaxName {
			return rewrite.Refusef("", 0, "a link in the build context has a target of more than %d bytes", tarcopy.MaxName)
		}
		return nil
	case tar.TypeFifo:
		what = "is a FIFO"
	case tar.TypeChar, tar.TypeBlock:
		what = "is a device"
	}
	return rewrite.Refusef(h.Name, 0, "this %s; a build context may hold files, directories and links; exclude it with .dockerignore", what)
}

// entryName returns the path that an engine would create for a name, "." for
// the root itself.
func entryName(raw string) (string, error) {
	if len(raw) > tarcopy.MaxName {
		return "", rewrite.Refusef("", 0, "an entry of the build context has a name of more than %d bytes", tarcopy.MaxName)
	}
	name := path.Clean(strings.TrimLeft(raw, "/"))
	if !filepath.IsLocal(name) {
		return "", rewrite.Refusef(raw, 0, "this name is outside the build context")
	}
	return name, nil
}

// isReserved reports whether a name is, or is below, the file that sockguard
// adds.
func isReserved(name string) bool {
	return strings.HasPrefix(name+"/", DockerfileName+"/")
}

// place notes an entry in the tree, and sends it on or holds it back.
func (c *rewriter) place(h *tar.Header, name string) error {
	p, err := c.files.locate(name)
	if err != nil {
		return err
	}
	c.files.unpack(p, h.Typeflag == tar.TypeDir)
	switch h.Typeflag {
	case tar.TypeReg:
		return c.regular(h, p, name)
	case tar.TypeDir:
		c.files.directory(p)
	case tar.TypeSymlink:
		err = c.files.symlink(p, h.Linkname)
	case tar.TypeLink:
		return c.link(h, p)
	}
	if err != nil {
		return err
	}
	return c.forward(h, p.node)
}

// forward sends an entry on as it is.
func (c *rewriter) forward(h *tar.Header, n *node) error {
	if err := c.releaseStale(); err != nil {
		return err
	}
	if n != nil {
		n.passed = true
	}
	if err := c.Header(h); err != nil {
		return err
	}
	return c.Payload(h.Size)
}

// regular handles a file. The Dockerfile and .dockerignore are held back. A copy
// is kept of a file that a later link may make one of them.
func (c *rewriter) regular(h *tar.Header, p place, name string) error {
	keep, err := c.files.regular(p, h.Size)
	if err != nil {
		return err
	}
	if keep == nil {
		return c.forward(h, p.node)
	}
	if err := c.releaseStale(); err != nil {
		return err
	}
	if err := c.Need(int(h.Size)); err != nil {
		return err
	}
	keep.text = make([]byte, h.Size)
	if err := c.Fill(keep.text); err != nil {
		return err
	}
	keep.held = h
	if keep == c.files.lookups[lookupDockerfile].to.node {
		// Refusing a Dockerfile now spares the client the rest of the upload.
		if _, err := c.scanned(c.files.lookups[lookupDockerfile].name, keep.text); err != nil {
			return err
		}
	}
	switch {
	case keep.ours:
		return nil
	case c.files.wanted(keep) && p.at == name && !c.files.vague:
		// An engine creates the parents of the file, which is held back.
		for _, dir := range c.files.implied {
			err := c.Header(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: h.ModTime})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return c.release(keep)
}

// link handles a hard link. Its target comes before it, and is sent before it.
func (c *rewriter) link(h *tar.Header, p place) error {
	target, err := entryName(h.Linkname)
	if err != nil {
		return err
	}
	to, err := c.files.locate(target)
	if err != nil {
		return err
	}
	if isReserved(target) || to.node != nil && to.ours && to.kind == kindFile {
		return rewrite.Refusef(h.Name, 0, "this is a hard link to %s, which sockguard replaces; send a copy", target)
	}
	if err := c.release(to.node); err != nil {
		return err
	}
	if err := c.files.hardlink(p, to); err != nil {
		return err
	}
	if p.node != nil && p.ours && p.kind == kindFile {
		p.held = h // for the header of ours
	}
	return c.forward(h, p.node)
}

// release sends a file that was held back.
func (c *rewriter) release(n *node) error {
	if n == nil || n.held == nil || n.ours {
		return nil
	}
	h := n.held
	n.held, n.passed = nil, true
	return c.File(h, n.text)
}

// releaseStale sends the files that no lookup leads to any more.
func (c *rewriter) releaseStale() error {
	for _, n := range c.files.stale {
		if err := c.release(n); err != nil {
			return err
		}
		n.kind, n.text = kindOpaque, nil
	}
	c.files.stale = nil
	return nil
}
