package tarcopy

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"sync/atomic"
	"weak"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"sockguard/rewrite"
)

// maxWindow is how far back a compressed stream may refer, and bounds the memory of
// decompression. xz -6 and zstd -19 use as much.
const maxWindow = 8 << 20

// sniffBuffer is the size of the buffer that compression needs. Larger reads bypass
// a buffer that is so small.
const sniffBuffer = 16

// compression returns the decoder of in, nil if in is not compressed, and the memory
// that it takes. It looks for the magic numbers that an engine looks for, in the same
// order, and so for one layer of compression.
func compression(in *bufio.Reader) (open func(*bufio.Reader) (io.Reader, error), memory int, err error) {
	magic, err := in.Peek(10)
	if err != nil && err != io.EOF {
		return nil, 0, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte("BZh")):
		return newBzip2Reader, maxWindow, nil
	case bytes.HasPrefix(magic, []byte{0x1F, 0x8B, 0x08}):
		return newGzipReader, 0, nil
	case bytes.HasPrefix(magic, []byte{0xFD, '7', 'z', 'X', 'Z', 0x00}):
		return newXZReader, maxWindow, nil
	case isZstd(magic):
		return newZstdReader, maxWindow, nil
	}
	return nil, 0, nil
}

func newBzip2Reader(in *bufio.Reader) (io.Reader, error) {
	return windowReader{bzip2.NewReader(in)}, nil
}

// isZstd reports whether magic begins a zstd frame or a skippable frame.
func isZstd(magic []byte) bool {
	if bytes.HasPrefix(magic, []byte{0x28, 0xB5, 0x2F, 0xFD}) {
		return true
	}
	return len(magic) >= 8 && magic[0]&0xF0 == 0x50 && bytes.Equal(magic[1:4], []byte{0x2A, 0x4D, 0x18})
}

// A gzipReader reads all members of a gzip stream and the zeros that follow them.
// Anything else after a member is an error.
type gzipReader struct {
	in *bufio.Reader
	z  *gzip.Reader
}

func newGzipReader(in *bufio.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, noEOF(err)
	}
	z.Multistream(false)
	return &gzipReader{in, z}, nil
}

func (g *gzipReader) Read(p []byte) (int, error) {
	for {
		n, err := g.z.Read(p)
		if err != io.EOF || n > 0 {
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
		if err := skipZeros(g.in); err != nil {
			return 0, err
		}
		if err := g.z.Reset(g.in); err != nil {
			return 0, noEOF(err)
		}
		g.z.Multistream(false)
	}
}

// skipZeros moves to the first byte that is not zero. At the end of in it returns
// io.EOF.
func skipZeros(in *bufio.Reader) error {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			return in.UnreadByte()
		}
	}
}

// spareZstd is a decoder, with its window, for the next archive. It lasts until the
// heap is collected.
var spareZstd atomic.Pointer[weak.Pointer[zstd.Decoder]]

func newZstdReader(in *bufio.Reader) (io.Reader, error) {
	if spare := spareZstd.Swap(nil); spare != nil {
		if z := spare.Value(); z != nil {
			return windowReader{z}, z.Reset(in)
		}
	}
	// With a concurrency of one the decoder starts no goroutine, so nothing has to
	// be closed.
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
	return windowReader{z}, err
}

func newXZReader(in *bufio.Reader) (io.Reader, error) {
	z, err := xz.NewReader(in, maxWindow)
	return windowReader{z}, explain(err)
}

// A windowReader is a decoder with a window of several MiB. It explains the errors
// that a client can mend.
type windowReader struct{ io.Reader }

// drop gives the window up, or to the next archive.
func (w windowReader) drop() {
	if z, ok := w.Reader.(*zstd.Decoder); ok && z.Reset(nil) == nil {
		spare := weak.Make(z)
		spareZstd.Store(&spare)
	}
	windows.dropped()
}

func (w windowReader) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	return n, explain(err)
}

// explain refuses a window that is too large and tells an early end from damaged
// data.
func explain(err error) error {
	switch {
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return refuseWindow("zstd", "zstd -19 or less, without --long or --ultra")
	case errors.Is(err, xz.ErrMemlimit):
		return refuseWindow("xz", "xz -6 or less")
	case errors.Is(err, xz.ErrBuf):
		return io.ErrUnexpectedEOF
	}
	return err
}

func refuseWindow(format, advice string) error {
	return rewrite.Refusef("", 0, "the upload needs a %s window of more than %d MiB to decompress; use %s, or send it uncompressed",
		format, maxWindow>>20, advice)
}
