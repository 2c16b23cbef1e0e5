package tarcopy

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"io"

	"sockguard/rewrite"
)

// readError returns an error of reading the archive, or nil.
func (c *Copy) readError(err error) error {
	if _, ok := errors.AsType[*rewrite.Refusal](err); ok || err == nil {
		return err
	}
	switch {
	case c.src.err != nil:
		return fmt.Errorf("read %s: %w", c.what, c.src.err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return rewrite.Refusef("", 0, "the %s ends in the middle of its archive", c.what)
	case errors.Is(err, tar.ErrHeader):
		return rewrite.Refusef("", 0, "the %s is not a tar archive, or a damaged one: %v", c.what, err)
	}
	return rewrite.Refusef("", 0, "the %s cannot be read: %v", c.what, err)
}

// writeError returns an error of writing the copy, or nil.
func (c *Copy) writeError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", c.what, cmp.Or(c.dst.err, err))
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// An errReader keeps the error that ended reading. It tells a broken transport
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

// A limitReader refuses to read more than max bytes; 0 is no limit. It returns its
// first error again and again, as a buffered reader asks again after an error.
type limitReader struct {
	what   string // what is read, in messages
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
		n, l.err = 0, l.tooLarge()
	}
	return n, l.err
}

func (l *limitReader) tooLarge() error {
	return rewrite.Refusef("", 0, "the %s is larger than %d bytes, the limit here; exclude files with .dockerignore", l.what, l.max)
}
