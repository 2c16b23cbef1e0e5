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

// Names that sockguard adds to the root of a context.
const (
	DockerfileName   = ".sockguard.Dockerfile"
	dockerignoreName = ".dockerignore"
)

// ContextOptions says how to rewrite a build context.
type Options struct {
	// Dockerfile is the dockerfile= parameter: a path inside the context, ""
	// for "Dockerfile" with the engine's fallback to "dockerfile".
	Dockerfile string
	// Rewrite says how to rewrite the Dockerfile.
	Rewrite dockerfile.Options
	// MaxBytes and MaxEntries bound the decompressed context; 0 is no bound.
	MaxBytes, MaxEntries int64
	// Excuse, for a policy that only watches, is told why the Dockerfile would
	// be refused; its text then goes along as it is. nil refuses.
	Excuse func(*rewrite.Refusal)
}

// Context copies the build context src, a tar that may be compressed with
// gzip, bzip2, xz or zstd, to dst as a plain tar, as a stream. The first entry
// is "./"; the client's entries follow unchanged, but for those of reserved
// names; the last two are .sockguard.Dockerfile, the rewritten text of the
// Dockerfile that the engine would have built, and a .dockerignore that hides
// it from COPY.
//
// Some of it is not as it came. The Dockerfile and .dockerignore are held back
// (1 MiB each) and move to the end, because an engine removes them from the
// context when .dockerignore matches them, and only the end tells whether it
// does. A .dockerignore that does not match itself stays visible to COPY, as a
// plain file with one line more. Entries of no effect (the root, global PAX
// headers) are dropped, sparse files are filled. Devices, FIFOs, and a
// Dockerfile that could only be told with the whole context at hand (behind a
// link to an ordinary file that came before the link) are refused by name.
//
// The *Scanned describes the rewritten Dockerfile. On an error dst has been cut
// inside an entry, so that no reader takes it for a complete archive; what the
// client can mend is a *Refusal.
func Rewrite(dst io.Writer, src io.Reader, o Options) (*dockerfile.Scanned, error) {
	return rewriteWith(dst, src, o, dockerfile.Rewrite)
}

// A contextCopy is one context on its way.
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
	defer c.Close()
	s, err := c.run()
	if err != nil {
		c.Cut()
		return nil, err
	}
	return s, nil
}

func (c *rewriter) run() (*dockerfile.Scanned, error) {
	if err := c.Begin(); err != nil {
		return nil, err
	}
	for {
		err := c.step()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if err := c.Drain(); err != nil {
		return nil, err
	}
	return c.complete()
}

// step handles the next entry; io.EOF is the end of the archive.
func (c *rewriter) step() error {
	if done, err := c.quick(); done || err != nil {
		return err
	}
	return c.Next(c.entry)
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

// scanned rewrites the Dockerfile, or answers for the text it rewrote last.
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
