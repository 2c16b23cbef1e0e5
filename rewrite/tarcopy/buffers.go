package tarcopy

import (
	"bufio"
	"runtime/debug"
	"sync"
)

const (
	// readBuffer is a multiple of blockSize; what goes on as it is goes in pieces
	// of this size.
	readBuffer   = 128 << 10
	sourceBuffer = 64 << 10 // of compressed bytes
	writeBuffer  = 64 << 10
	payloadChunk = 128 << 10
)

// The buffers of a copy are those of the next one: so a thousand archives, one
// after the other, take the memory of one.
type buffers struct {
	in    *bufio.Reader
	out   *bufio.Writer
	chunk []byte
}

var unused = sync.Pool{New: func() any {
	return &buffers{bufio.NewReaderSize(nil, readBuffer), bufio.NewWriterSize(nil, writeBuffer), make([]byte, payloadChunk)}
}}

func takeBuffers() *buffers { return unused.Get().(*buffers) }

// leave ends a copy, of which nobody holds a part.
func (c *Copy) Close() {
	c.in.Reset(nil)
	c.out.Reset(nil)
	unused.Put(c.buffers)
	c.buffers = nil
	much := holdsMuch(c.limit.r)
	c.limit.r, c.tr = nil, nil
	if much {
		// A window of several MiB would be a reason for the collector to let as
		// much again come together before it looks, and the next one may not
		// fit in its place.
		debug.FreeOSMemory()
	}
}
