package rewrite

import (
	"errors"
	"io"
	"sync"
)

// A Body is a request body that is rewritten while it is sent. HTTP transports
// that use io.WriterTo run the rewrite in their own goroutine, straight into the
// connection; plain readers get the same bytes through an io.Pipe.
//
// Close ends the rewrite and closes the source. After an error the body never
// reports io.EOF, so a transport breaks the upload instead of ending it.
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

// NewBody returns the body that fn makes of src. It takes over src.
func NewBody(src io.ReadCloser, fn func(dst io.Writer, src io.Reader) error) *Body {
	return &Body{src: src, fn: fn}
}

// WriteTo runs the rewrite into dst.
func (b *Body) WriteTo(dst io.Writer) (int64, error) {
	c := &countingWriter{w: dst}
	err := b.run(c)
	return c.n, err
}

// Read returns the next rewritten bytes; the first call starts the rewrite.
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

// Close stops the rewrite, wherever it is, and closes the source.
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

func (b *Body) run(dst io.Writer) error {
	err := b.fn(dst, b.src)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // to a transport, io.EOF is a good end
	}
	b.mu.Lock()
	b.err = err
	b.mu.Unlock()
	return err
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
