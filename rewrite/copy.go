package rewrite

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
)

const (
	// maxTail is how much may follow the end of the archive: padding (GNU tar's
	// -b goes to 10 MiB) and what engines ignore.
	maxTail = 16 << 20
)

// A tarCopy is one archive on its way from tar to tar, entry by entry.
type tarCopy struct {
	what string // what the archive is, in messages

	src    *errReader
	limit  *limitReader // src, decompressed
	ready  int          // bytes of in that go on as they are
	inside bool         // they end inside the contents of a file
	tr     *tar.Reader  // the entry at hand

	dst *errWriter
	tw  *tar.Writer

	*buffers
}

func newTarCopy(what string, dst io.Writer, src io.Reader, maxBytes int64) tarCopy {
	c := tarCopy{
		what:  what,
		src:   &errReader{r: src},
		limit: &limitReader{max: maxBytes},
		dst:   &errWriter{w: dst},

		buffers: takeBuffers(),
	}
	c.in.Reset(c.limit)
	c.out.Reset(c.dst)
	c.tw = tar.NewWriter(c.out)
	return c
}

// open starts reading; what it reads first decides about the compression.
func (c *tarCopy) open() error {
	var err error
	if c.limit.r, err = decompress(bufio.NewReaderSize(c.src, sniffBuffer)); err != nil {
		return c.readError(err)
	}
	return nil
}

// read has the next entry handled; io.EOF is the end of the archive.
func (c *tarCopy) read(entry func(*tar.Header) error) error {
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
	// What is left of the entry, and of its last block. A padding that is cut
	// off is a good end to tar readers.
	if _, err := io.CopyBuffer(onlyWriter{io.Discard}, c.tr, c.chunk); err != nil {
		return c.readError(err)
	}
	pos := c.limit.n - int64(c.in.Buffered())
	if _, err := c.in.Discard(int(-pos & (blockSize - 1))); err != nil {
		if err == io.EOF {
			return err
		}
		return c.readError(err)
	}
	return nil
}

// onlyWriter hides that a writer has more methods, which would take to buffers
// of their own.
type onlyWriter struct{ io.Writer }

// header writes the header of an entry. A format that was read is kept: it
// decides how much of times and names fits. What nobody can tell goes as PAX,
// which holds everything but oversized modes; GNU holds those.
func (c *tarCopy) header(h *tar.Header) error {
	if h.Format == tar.FormatUnknown {
		h.Format = tar.FormatPAX
	}
	err := c.tw.WriteHeader(h)
	if err != nil && c.dst.err == nil && h.Format != tar.FormatGNU {
		h.Format = tar.FormatGNU
		if c.tw.WriteHeader(h) == nil {
			return nil
		}
	}
	switch {
	case err == nil:
		return nil
	case c.dst.err != nil:
		return c.writeError(err)
	}
	return refusef(h.Name, 0, "this entry cannot be written to a tar archive: %v", err)
}

// payload copies the bytes of the entry that was read last, size of them.
func (c *tarCopy) payload(size int64) error {
	if size >= payloadChunk/2 {
		// With nothing buffered, large writes go straight to dst.
		if err := c.out.Flush(); err != nil {
			return c.writeError(err)
		}
	}
	for size > 0 {
		p := c.chunk[:min(size, payloadChunk)]
		if _, err := io.ReadFull(c.tr, p); err != nil {
			return c.readError(noEOF(err))
		}
		if _, err := c.tw.Write(p); err != nil {
			return c.writeError(err)
		}
		size -= int64(len(p))
	}
	return nil
}

// file writes one whole regular file.
func (c *tarCopy) file(h *tar.Header, text []byte) error {
	h.Typeflag, h.Size = tar.TypeReg, int64(len(text))
	if err := c.header(h); err != nil {
		return err
	}
	if _, err := c.tw.Write(text); err != nil {
		return c.writeError(err)
	}
	return nil
}

// text reads the bytes of the entry that was read last.
func (c *tarCopy) text(size int64) ([]byte, error) {
	text := make([]byte, size)
	if _, err := io.ReadFull(c.tr, text); err != nil {
		return nil, c.readError(noEOF(err))
	}
	return text, nil
}

// drain reads what follows the archive, so that the client's upload ends and a
// compressed stream is checked to its end.
func (c *tarCopy) drain() error {
	n, err := io.CopyBuffer(onlyWriter{io.Discard}, io.LimitReader(c.in, maxTail+1), c.chunk)
	if err != nil {
		return c.readError(err)
	}
	if n > maxTail {
		return refusef("", 0, "more than %d bytes follow the end of the %s's archive", maxTail, c.what)
	}
	return nil
}

// cut makes sure that what was written is not a complete archive: a tar that
// ends between two entries is one to most readers.
func (c *tarCopy) cut() {
	if c.send() == nil && !c.inside {
		// Inside an entry this fails, and the cut is there already.
		_ = c.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: DockerfileName, Size: 1})
	}
	_ = c.out.Flush()
}

func (c *tarCopy) readError(err error) error {
	if _, ok := errors.AsType[*Refusal](err); ok {
		return err
	}
	switch {
	case c.src.err != nil:
		return fmt.Errorf("read %s: %w", c.what, c.src.err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refusef("", 0, "the %s ends in the middle of its archive", c.what)
	case errors.Is(err, tar.ErrHeader):
		return refusef("", 0, "the %s is not a tar archive, or a damaged one: %v", c.what, err)
	}
	return refusef("", 0, "the %s cannot be read: %v", c.what, err)
}

func (c *tarCopy) writeError(err error) error {
	if c.dst.err != nil {
		err = c.dst.err
	}
	return fmt.Errorf("write %s: %w", c.what, err)
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// An errReader remembers why reading ended, so that a broken transport is told
// from broken contents.
type errReader struct {
	r   io.Reader
	err error
}

func (e *errReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}

// An errWriter writes no more after an error.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) Write(p []byte) (n int, err error) {
	if e.err == nil {
		n, e.err = e.w.Write(p)
	}
	return n, e.err
}

// A limitReader refuses to read more than max bytes; 0 is no limit. Its first
// error stays: buffers ask again after one.
type limitReader struct {
	r      io.Reader
	n, max int64
	err    error
}

func (l *limitReader) Read(p []byte) (n int, err error) {
	if l.err != nil {
		return 0, l.err
	}
	n, l.err = l.r.Read(p)
	l.n += int64(n)
	if l.max > 0 && l.n > l.max {
		n, l.err = 0, refuseBytes(l.max)
	}
	return n, l.err
}

func refuseBytes(limit int64) error {
	return refusef("", 0, "the build context is larger than %d bytes, the limit here; exclude files with .dockerignore", limit)
}
