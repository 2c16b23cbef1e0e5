package proxy

import (
	"io"
	"net/http"
	"strconv"
	"sync"
)

// ioBuffer is the size of the buffers between sockets: few system calls for huge
// bodies, little memory for thousands of streams.
const ioBuffer = 64 << 10

// firstBuffer is the size of the buffer that a copy begins with. Most answers fit.
const firstBuffer = 4 << 10

// copyBuffers and firstBuffers hold *[]byte of their sizes.
var copyBuffers, firstBuffers = bufferPool(ioBuffer), bufferPool(firstBuffer)

func bufferPool(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, size)
		return &b
	}}
}

// A flushWriter sends what is written before the next read of the source can block.
// The end of a response of known length is left to the server, which sends it with
// the last bytes.
type flushWriter struct {
	http.ResponseWriter
	left    int64 // bytes to come of a declared length, -1 when none is declared
	started bool
	finite  bool // the response ends soon: the server chooses when to send
	err     error
}

var _ io.ReaderFrom = (*flushWriter)(nil)

func newFlushWriter(w http.ResponseWriter) *flushWriter {
	return &flushWriter{ResponseWriter: w, left: -1}
}

// Unwrap returns the writer of the server, for [http.ResponseController].
func (f *flushWriter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

// copyErr returns the error that ended the source of a ReadFrom early, nil if none.
// The response is then not whole, and must be aborted.
func (f *flushWriter) copyErr() error { return f.err }

// WriteHeader sends the head at once when neither a length nor a near end is known.
// The body may be a stream whose first byte is hours away.
func (f *flushWriter) WriteHeader(status int) {
	f.ResponseWriter.WriteHeader(status)
	if status < 200 || f.started {
		return
	}
	f.started = true
	if n, ok := contentLength(f.Header()); ok {
		f.left = n
	} else if !f.finite {
		f.flush()
	}
}

// contentLength returns the length that the headers of an answer declare.
func contentLength(h http.Header) (n int64, ok bool) {
	text := h.Get("Content-Length")
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0
}

func (f *flushWriter) flush() error { return http.NewResponseController(f.ResponseWriter).Flush() }

func (f *flushWriter) Write(p []byte) (int, error) {
	n, err := f.write(p)
	if err == nil && f.left != 0 && !f.finite {
		err = f.flush()
	}
	return n, err
}

func (f *flushWriter) write(p []byte) (int, error) {
	if !f.started {
		f.WriteHeader(http.StatusOK)
	}
	n, err := f.ResponseWriter.Write(p)
	if f.left > 0 {
		f.left -= int64(n)
	}
	return n, err
}

// ReadFrom copies src until it ends.
func (f *flushWriter) ReadFrom(src io.Reader) (int64, error) {
	pool := firstBuffers
	buf := pool.Get().(*[]byte)
	defer func() { pool.Put(buf) }()
	var total int64
	for {
		n, rerr := src.Read(*buf)
		if n > 0 {
			w := f.Write
			if rerr == io.EOF {
				w = f.write
			}
			m, werr := w((*buf)[:n])
			total += int64(m)
			if werr != nil {
				return total, werr
			}
		}
		if rerr == io.EOF {
			return total, nil
		}
		if rerr != nil {
			f.err = rerr
			return total, rerr
		}
		if n == firstBuffer {
			pool.Put(buf)
			pool = copyBuffers
			buf = pool.Get().(*[]byte)
		}
	}
}
