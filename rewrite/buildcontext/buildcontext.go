// Package buildcontext rewrites the tar that a client uploads for docker build,
// as a stream and in constant memory, so that the classic builder builds a
// Dockerfile with labels in it.
//
// [Rewrite] appends the rewritten Dockerfile under a reserved name,
// [DockerfileName], which the dockerfile= parameter of the build has to name, and
// a .dockerignore that hides it from COPY. The client's own entries reach the
// build as they were sent. Which of them is the Dockerfile is decided by the
// rules of the engine: the last entry of a name wins, and symbolic links, hard
// links and the fallback to "dockerfile" are followed. If that decision is wrong
// the engine still builds the text that this package wrote.
//
// # Limits
//
// A Dockerfile and a .dockerignore have at most 1 MiB, a name 4096 bytes, the
// extension headers of an entry 64 KiB. A .dockerignore has at most 10,000 patterns
// of 1 KiB each and 64 KiB together. [Options] bounds size and number of the
// entries. Compression may be gzip, bzip2, xz or zstd, one layer of it, with a
// window of at most 8 MiB. Devices and FIFOs are refused. So is a Dockerfile that
// a symbolic link names after the file itself has passed, unless the name of that
// file looks like a Dockerfile. Any number of other symbolic links may pass. An
// entry below one of them is refused if it may be unpacked in the place of the
// Dockerfile or .dockerignore.
//
// # Errors
//
// What the client can mend is a [rewrite.Refusal]. Other errors are those of
// reading, writing and [dockerfile.Options].Image. After an error the output ends
// inside an entry, so that no reader takes it for a complete archive.
package buildcontext

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
	"sockguard/rewrite/tarcopy"
)

// Names of files that are added to the root of a context.
const (
	DockerfileName   = ".sockguard.Dockerfile"
	dockerignoreName = ".dockerignore"
)

// Options says how to rewrite a build context.
type Options struct {
	// Dockerfile is the dockerfile= parameter, a path inside the context. "" is
	// "Dockerfile", or "dockerfile" if there is no such file.
	Dockerfile string
	// Rewrite says how to rewrite the Dockerfile.
	Rewrite dockerfile.Options
	// MaxBytes and MaxEntries bound the decompressed context; 0 is no bound.
	MaxBytes, MaxEntries int64
	// Reserve is called before n more bytes of memory are taken. An error refuses the
	// context. A nil func allows any number.
	Reserve func(n int) error
	// Excuse is called with the reason why a Dockerfile would be refused. The
	// Dockerfile is then sent as it is. If Excuse is nil it is refused.
	Excuse func(*rewrite.Refusal)
}

// Rewrite copies the build context src to dst as a plain tar and describes the
// rewritten Dockerfile. The first entry is "./". The client's entries follow. The
// last two are the rewritten Dockerfile and .dockerignore.
//
// These things change on the way. The client's Dockerfile and .dockerignore move
// to the end, or are left out if .dockerignore matches them, as an engine would
// remove them then. A .dockerignore that does not match itself is seen by COPY
// with one more line. The root and global PAX headers are left out, as they have
// no effect. Sparse files are sent in full.
func Rewrite(dst io.Writer, src io.Reader, o Options) (*dockerfile.Scanned, error) {
	return rewriteWith(dst, src, o, dockerfile.Rewrite)
}

// A rewriter rewrites one context.
type rewriter struct {
	*tarcopy.Copy
	opts    Options
	scan    scanFunc
	files   *tree
	entries int64

	last struct {
		name    string
		text    []byte
		scanned *dockerfile.Scanned
	}
}

type scanFunc func(name string, text []byte, o dockerfile.Options) (*dockerfile.Scanned, error)

func rewriteWith(dst io.Writer, src io.Reader, o Options, scan scanFunc) (*dockerfile.Scanned, error) {
	c := &rewriter{
		Copy: tarcopy.New("build context", dst, src, o.MaxBytes),
		opts: o, scan: scan, files: newTree(o.Dockerfile),
	}
	c.Reserve = o.Reserve
	defer c.Close()
	defer c.files.close()
	var s *dockerfile.Scanned
	err := c.Each(func() error {
		if done, err := c.quick(); done || err != nil {
			return err
		}
		return c.Next(c.entry)
	})
	if err == nil {
		s, err = c.complete()
	}
	if err != nil {
		c.Cut()
	}
	return s, err
}

// complete writes what was held back, the reserved files and the end.
func (c *rewriter) complete() (*dockerfile.Scanned, error) {
	dockerfile, err := c.files.dockerfile()
	if err != nil {
		return nil, err
	}
	ignore, err := c.files.ignorefile()
	if err != nil {
		return nil, err
	}
	s, err := c.scanned(dockerfile.name, dockerfile.to.text)
	if err != nil {
		return nil, err
	}
	if err := ignore.hide(dockerfile.name, dockerfile.to.node); err != nil {
		return nil, err
	}
	if err := ignore.hide(dockerignoreName, c.files.lookups[lookupIgnore].to.node); err != nil {
		return nil, err
	}
	for _, l := range c.files.lookups {
		if err := c.release(l.to.node); err != nil {
			return nil, err
		}
	}
	if err := c.File(&tar.Header{Name: DockerfileName, Mode: 0o644}, s.Text); err != nil {
		return nil, err
	}
	if err := c.File(ignore.header(), ignore.text()); err != nil {
		return nil, err
	}
	if err := c.Finish(); err != nil {
		return nil, err
	}
	return s, nil
}

// scanned rewrites the Dockerfile. It remembers the result for the last text.
func (c *rewriter) scanned(name string, text []byte) (*dockerfile.Scanned, error) {
	if c.last.scanned != nil && c.last.name == name && bytes.Equal(c.last.text, text) {
		return c.last.scanned, nil
	}
	if len(text) == 0 {
		return nil, rewrite.Refusef("", 0, "the Dockerfile (%s) cannot be empty", name)
	}
	s, err := c.scan(name, text, c.opts.Rewrite)
	if r, ok := errors.AsType[*rewrite.Refusal](err); ok && c.opts.Excuse != nil {
		c.opts.Excuse(r)
		s, err = &dockerfile.Scanned{Text: bytes.Clone(text)}, nil
	}
	if err != nil {
		return nil, err
	}
	c.last.name, c.last.text, c.last.scanned = name, text, s
	return s, nil
}
