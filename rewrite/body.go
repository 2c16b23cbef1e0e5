package rewrite

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
)

// A Body is a message body that is rewritten while it is sent. WriteTo runs the
// rewrite in the caller's goroutine, straight into the connection. Read runs it in
// a goroutine of its own, behind an io.Pipe. Only one of the two may be used.
//
// After an error the body never reports io.EOF, so a transport breaks the message
// off instead of ending it. Close stops the rewrite and closes the source.
type Body struct {
	src io.ReadCloser
	fn  func(dst io.Writer, src io.Reader) error

	mu   sync.Mutex
	pipe *io.PipeReader
	err  error
}

var (
	_ io.ReadCloser = (*Body)(nil)
	_ io.WriterTo   = (*Body)(nil)
)

// NewBody returns the body that fn writes when it reads src. Closing the body
// closes src.
func NewBody(src io.ReadCloser, fn func(dst io.Writer, src io.Reader) error) *Body {
	return &Body{src: src, fn: fn}
}

// WriteTo runs the rewrite into dst.
func (b *Body) WriteTo(dst io.Writer) (int64, error) {
	c := &countingWriter{w: dst}
	err := b.run(c)
	return c.n, err
}

// Read returns the next rewritten bytes. The first call starts the rewrite.
func (b *Body) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.pipe == nil {
		r, w := io.Pipe()
		b.pipe = r
		go func() { w.CloseWithError(b.run(w)) }()
	}
	pipe := b.pipe
	b.mu.Unlock()
	return pipe.Read(p)
}

// Close stops the rewrite and closes the source.
func (b *Body) Close() error {
	b.mu.Lock()
	if b.pipe != nil {
		b.pipe.CloseWithError(io.ErrClosedPipe)
	}
	b.mu.Unlock()
	return b.src.Close()
}

// Err returns the error that ended the rewrite, or nil.
func (b *Body) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Refusal returns why the rewrite refused its input, or nil.
func (b *Body) Refusal() *Refusal {
	r, _ := errors.AsType[*Refusal](b.Err())
	return r
}

// run runs the rewrite. A panic in it is an error of this body alone.
func (b *Body) run(dst io.Writer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // io.EOF would be a regular end
		}
		b.mu.Lock()
		b.err = err
		b.mu.Unlock()
	}()
	return b.fn(dst, b.src)
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
