package tarcopy

import (
	"bufio"
	"sync"
)

const (
	readBuffer   = 256 << 10 // a multiple of blockSize
	sourceBuffer = 64 << 10  // of compressed bytes
	writeBuffer  = 64 << 10
	payloadChunk = 128 << 10
)

// buffers are what a Copy needs. They are pooled: archives copied one after the
// other reuse them.
type buffers struct {
	in    *bufio.Reader
	out   *bufio.Writer
	chunk []byte
}

var unused = sync.Pool{New: func() any {
	return &buffers{bufio.NewReaderSize(nil, readBuffer), bufio.NewWriterSize(nil, writeBuffer), make([]byte, payloadChunk)}
}}

// Close releases the buffers. The Copy must not be used any more.
func (c *Copy) Close() {
	c.in.Reset(nil)
	c.out.Reset(nil)
	unused.Put(c.buffers)
	c.buffers = nil
	if w, ok := c.limit.r.(windowReader); ok {
		w.drop()
	}
	c.limit.r, c.tr = nil, nil
}
