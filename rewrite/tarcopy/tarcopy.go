// Package tarcopy copies a tar archive, entry by entry, as a stream and in
// constant memory.
//
// The source may be compressed with gzip, bzip2, xz or zstd; the copy is a plain
// tar. Entries are read with archive/tar and written anew, with one exception:
// the 512 header bytes of a plain file or directory are copied, with a PAX header that
// has its name, after each of them has been checked, since parsing takes more time than
// everything else. See [Copy.Plain].
//
// A [Copy] is used like this: [Copy.Each] with a function that handles one entry,
// by [Copy.Plain] and [Copy.Pass] or by [Copy.Next], then entries of the caller's
// own, and [Copy.Finish]. After an error [Copy.Cut] makes sure that no reader takes
// the output for a complete archive.
// Errors of the archive are a [rewrite.Refusal]; other errors are those of reading
// and writing.
package tarcopy

import (
	"archive/tar"
	"bufio"
	"io"

	"sockguard/rewrite"
)

const (
	// MaxName bounds names and link targets: PATH_MAX, more than an engine can
	// create.
	MaxName = 4096
	// maxTail bounds what may follow the end of the archive. Engines ignore it; GNU
	// tar writes up to 10 MiB of padding with -b.
	maxTail = 16 << 20
)

// ownBytes is about what a Copy takes, with the tree of a build context.
const ownBytes = 2 << 20

// A Copy copies one archive.
type Copy struct {
	// Reserve is called before n more bytes of memory are taken, if it is not nil. An
	// error ends the copy.
	Reserve func(n int) error

	what string // what the archive is, in messages

	src    *errReader
	limit  *limitReader // src, decompressed
	ready  int          // bytes of in that go on as they are
	inside bool         // they end inside the contents of a file
	head   int          // bytes of the headers that Plain has looked at
	tr     *tar.Reader  // the entry at hand
	name   [256]byte    // of a plain header, when it is in two fields

	dst *errWriter
	tw  *tar.Writer

	*buffers
}

// New returns a Copy of src to dst that reads at most maxBytes of the decompressed
// archive; 0 is no limit. what names the archive in errors. The caller closes the
// Copy.
func New(what string, dst io.Writer, src io.Reader, maxBytes int64) *Copy {
	c := &Copy{
		what:  what,
		src:   &errReader{r: src},
		limit: &limitReader{what: what, max: maxBytes},
		dst:   &errWriter{w: dst},

		buffers: unused.Get().(*buffers),
	}
	c.in.Reset(c.limit)
	c.out.Reset(c.dst)
	c.tw = tar.NewWriter(c.out)
	return c
}

// Each writes an entry for the root and calls next until it returns io.EOF, for the
// end of the archive. Then it reads what follows: the client's upload ends, and the
// checksum of a compressed stream is checked.
func (c *Copy) Each(next func() error) error {
	if err := c.begin(); err != nil {
		return err
	}
	for {
		err := next()
		if err == io.EOF {
			return c.drain()
		}
		if err != nil {
			return err
		}
	}
}

// begin writes an entry for the root and opens src, whose first bytes tell its
// compression.
//
// Engines from 23.0 on encode the archive again and look for compression in the
// result, which begins with the name of the first entry. "./" is not the beginning
// of compressed data.
func (c *Copy) begin() error {
	if err := c.Need(ownBytes); err != nil {
		return err
	}
	if err := c.Header(&tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755}); err != nil {
		return err
	}
	in := bufio.NewReaderSize(c.src, sniffBuffer)
	c.limit.r = in
	open, window, err := compression(in)
	if err != nil || open == nil {
		return c.readError(err)
	}
	if err := c.Need(window); err != nil {
		return err
	}
	c.limit.r, err = open(bufio.NewReaderSize(in, sourceBuffer))
	return c.readError(err)
}

// Need asks for n more bytes of memory.
func (c *Copy) Need(n int) error {
	if c.Reserve == nil {
		return nil
	}
	return c.Reserve(n)
}

// drain reads what follows the archive.
func (c *Copy) drain() error {
	n, err := io.Copy(io.Discard, io.LimitReader(c.in, maxTail+1))
	if n > maxTail {
		return rewrite.Refusef("", 0, "more than %d bytes follow the end of the %s's archive", maxTail, c.what)
	}
	return c.readError(err)
}

// Next calls entry for the next entry and skips what entry leaves unread. At the
// end of the archive it returns io.EOF.
func (c *Copy) Next(entry func(*tar.Header) error) error {
	if err := c.send(); err != nil {
		return err
	}
	if err := c.checkExtensions(); err != nil {
		return err
	}
	c.tr = tar.NewReader(c.in)
	h, err := c.tr.Next()
	if err == io.EOF {
		return err
	}
	if err != nil {
		return c.readError(err)
	}
	if err := entry(h); err != nil {
		return err
	}
	// Skip the rest of the entry and the padding of its last block. Tar readers
	// accept an archive that ends inside a padding.
	if _, err := io.Copy(io.Discard, c.tr); err != nil {
		return c.readError(err)
	}
	pos := c.limit.n - int64(c.in.Buffered())
	if _, err = c.in.Discard(int(-pos & (blockSize - 1))); err == io.EOF {
		return err
	}
	return c.readError(err)
}

// Header writes the header of an entry. It keeps a known format, which decides how
// precise times and how long names are. An unknown format becomes PAX, or GNU for
// modes that are too large for PAX.
func (c *Copy) Header(h *tar.Header) error {
	if h.Format == tar.FormatUnknown {
		h.Format = tar.FormatPAX
	}
	err := c.tw.WriteHeader(h)
	if err != nil && c.dst.err == nil && h.Format != tar.FormatGNU {
		h.Format = tar.FormatGNU
		err = c.tw.WriteHeader(h)
	}
	if err == nil || c.dst.err != nil {
		return c.writeError(err)
	}
	return rewrite.Refusef(h.Name, 0, "this entry cannot be written to a tar archive: %v", err)
}

// Payload copies the rest of the entry at hand, of size bytes.
func (c *Copy) Payload(size int64) error {
	if size >= payloadChunk/2 {
		// With nothing buffered, large writes go straight to dst.
		if err := c.out.Flush(); err != nil {
			return c.writeError(err)
		}
	}
	_, err := io.CopyBuffer(c.tw, c.tr, c.chunk)
	if c.dst.err != nil {
		return c.writeError(err)
	}
	return c.readError(err)
}

// File writes one whole regular file.
func (c *Copy) File(h *tar.Header, text []byte) error {
	h.Typeflag, h.Size = tar.TypeReg, int64(len(text))
	if err := c.Header(h); err != nil {
		return err
	}
	return c.Write(text)
}

// Fill reads the next len(p) bytes of the entry at hand.
func (c *Copy) Fill(p []byte) error {
	_, err := io.ReadFull(c.tr, p)
	return c.readError(noEOF(err))
}

// Write writes contents of the file whose header was written last.
func (c *Copy) Write(p []byte) error {
	_, err := c.tw.Write(p)
	return c.writeError(err)
}

// CheckSize refuses a file that is larger than the archive may be. A sparse file
// can be, though its entry is small.
func (c *Copy) CheckSize(size int64) error {
	if c.limit.max > 0 && size > c.limit.max {
		return c.limit.tooLarge()
	}
	return nil
}

// Finish writes the end of the archive.
func (c *Copy) Finish() error {
	if err := c.tw.Close(); err != nil {
		return c.writeError(err)
	}
	return c.writeError(c.out.Flush())
}

// Cut makes the output end inside an entry. Most readers accept a tar that ends
// between two entries.
func (c *Copy) Cut() {
	if c.send() == nil && !c.inside {
		// Inside an entry this fails, and the output is cut already.
		_ = c.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "cut", Size: 1})
	}
	_ = c.out.Flush()
}
