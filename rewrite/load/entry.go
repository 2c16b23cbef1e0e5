package load

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"path/filepath"
	"strings"

	"sockguard/rewrite"
	"sockguard/rewrite/rawjson"
	"sockguard/rewrite/tarcopy"
)

const (
	// maxJSON bounds a JSON file of an image archive that has to be read.
	maxJSON = 4 << 20
	// maxKeptJSON bounds all of them together. Each counts keptOverhead more bytes
	// than it has.
	maxKeptJSON  = 16 << 20
	keptOverhead = 512
	// maxMadeJSON bounds what is written anew, counted in the same way.
	maxMadeJSON = 16 << 20
	// maxValues bounds the JSON values of one file, each of which takes more memory
	// than its text.
	maxValues = 100_000
)

// A blob is a JSON file of an image archive.
type blob struct {
	digest string
	text   []byte
}

func newBlob(text []byte) *blob {
	sum := sha256.Sum256(text)
	return &blob{"sha256:" + hex.EncodeToString(sum[:]), text}
}

// blobPath returns the path of a blob in an OCI layout.
func blobPath(digest string) string { return "blobs/" + strings.Replace(digest, ":", "/", 1) }

// entry writes an entry under its clean name. Engines read only the name and the
// contents of a file in an image archive, so nothing else is kept.
func (c *rewriter) entry(h *tar.Header) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name := path.Clean(strings.TrimLeft(h.Name, "/"))
	if len(name) > tarcopy.MaxName || !filepath.IsLocal(name) {
		return rewrite.Refusef("", 0, "%.100q in the image archive is no name for a file in it", h.Name)
	}
	switch name {
	case ".":
		return nil
	case manifestName, indexName, layoutName, repositoriesName:
		return c.table(h, name)
	}
	switch {
	case isSparse(h):
	case h.Typeflag == tar.TypeDir:
		return c.Header(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755})
	case h.Typeflag == tar.TypeSymlink:
		return c.layerLink(name, h.Linkname)
	case h.Typeflag == tar.TypeReg:
		return c.regular(name, h.Size)
	}
	return rewrite.Refusef(name, 0, "this has the tar type %q; an image archive may hold plain files and directories", h.Typeflag)
}

// isSparse reports whether an entry has holes. These could have any size.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

func plainFile(name string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}
}

// table reads a file that tells what the archive holds. The two that are not needed
// are dropped.
func (c *rewriter) table(h *tar.Header, name string) error {
	if h.Typeflag != tar.TypeReg || isSparse(h) {
		return rewrite.Refusef(name, 0, "this must be a plain file")
	}
	into := &c.manifest
	switch name {
	case layoutName, repositoriesName:
		return nil
	case indexName:
		into = &c.index
	}
	if *into != nil {
		return refuseTwice(name)
	}
	if h.Size > maxJSON {
		return rewrite.Refusef(name, 0, "this file has %d bytes, more than the %d that are read", h.Size, maxJSON)
	}
	if err := c.Need(int(h.Size)); err != nil {
		return err
	}
	*into = make([]byte, h.Size)
	if err := c.Fill(*into); err != nil {
		return err
	}
	if rawjson.TooMany(*into, maxValues) {
		return rewrite.Refusef(name, 0, "this file has more than %d JSON values; load fewer images at once", maxValues)
	}
	return nil
}

// layerLink writes a symbolic link from one layer.tar to another, which docker save
// uses for a layer that images share. Other links are refused: a link to a
// directory could move a file to a path that is not checked.
func (c *rewriter) layerLink(name, target string) error {
	if path.Base(name) != "layer.tar" || path.Ext(target) != ".tar" || len(target) > tarcopy.MaxName ||
		path.IsAbs(target) || !filepath.IsLocal(path.Join(path.Dir(name), target)) {
		return rewrite.Refusef(name, 0, "this is a symbolic link to %.100q; in an image archive only layer.tar may be one, to another layer", target)
	}
	if c.files[name] != nil {
		return refuseTwice(name)
	}
	return c.Header(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777})
}

// regular writes a file. It also keeps the file if it begins like a JSON object, as
// configurations, manifests and indexes do.
func (c *rewriter) regular(name string, size int64) error {
	h := plainFile(name)
	h.Size = size
	var first [1]byte
	if size > 0 {
		if err := c.Fill(first[:]); err != nil {
			return err
		}
	}
	cost := size + keptOverhead
	if first[0] != '{' || size > maxJSON || cost > c.room {
		c.spilled = c.spilled || first[0] == '{'
		if c.files[name] != nil {
			return refuseTwice(name)
		}
		if err := c.Header(h); err != nil {
			return err
		}
		if err := c.Write(first[:min(size, 1)]); err != nil {
			return err
		}
		return c.Payload(size)
	}
	c.room -= cost
	if err := c.Need(int(cost)); err != nil {
		return err
	}
	text := make([]byte, size)
	text[0] = first[0]
	if err := c.Fill(text[1:]); err != nil {
		return err
	}
	if rawjson.TooMany(text, maxValues) {
		c.spilled = true
		if c.files[name] != nil {
			return refuseTwice(name)
		}
		return c.File(h, text)
	}
	return c.keep(h, text)
}

// keep writes a file and keeps it.
func (c *rewriter) keep(h *tar.Header, text []byte) error {
	b := newBlob(text)
	if same := c.blobs[b.digest]; same != nil {
		b = same
	}
	if old := c.files[h.Name]; old != nil && old != b {
		return refuseTwice(h.Name)
	}
	c.blobs[b.digest], c.files[h.Name] = b, b
	return c.File(h, text)
}

func refuseTwice(name string) error {
	return rewrite.Refusef(name, 0, "the image archive has this file twice, with different contents; give it once")
}

// missing refuses an archive that lacks what one of its files names.
func (c *rewriter) missing(where, what string) error {
	if c.spilled {
		return rewrite.Refusef(where, 0, "%s is not among the JSON that is read, %d MiB of each archive and %d MiB and %d values of each file; load fewer images at once",
			what, maxKeptJSON>>20, maxJSON>>20, maxValues)
	}
	return rewrite.Refusef(where, 0, "%s is not in the image archive", what)
}
