package tarcopy

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"

	"sockguard/rewrite"
)

// An xzReader reads an .xz file (xz-file-format 1.2.0) of any number of streams
// and blocks in the memory of one dictionary. The xz package's own reader
// allocates whatever dictionary each block asks for, up to 4 GiB, and keeps a
// record of every block; so only its LZMA2 decoder is used here.
type xzReader struct {
	in   *bufio.Reader
	lz   *lzma.Reader2
	dict int64
	feed chunkFeed

	flags  byte // of the stream: the kind of check
	blocks uint64
	open   bool      // in a block
	first  bool      // before the first chunk of a block
	size   int64     // of the block's chunks so far
	left   int       // decompressed bytes that the current chunk still has
	check  hash.Hash // of the block; nil if there is none
}

var (
	errXZ      = errors.New("damaged xz data")
	crc64Table = crc64.MakeTable(crc64.ECMA)
)

func newXZReader(in *bufio.Reader) (io.Reader, error) {
	x := &xzReader{in: in}
	x.feed.in = in
	return x, x.stream()
}

func (x *xzReader) Read(p []byte) (int, error) {
	for x.left == 0 {
		if err := x.next(); err != nil {
			return 0, err
		}
	}
	// Asked for no more than the chunk has, the decoder does not look for the
	// next one.
	n, err := x.lz.Read(p[:min(len(p), x.left)])
	x.left -= n
	if x.check != nil {
		x.check.Write(p[:n])
	}
	return n, noEOF(err)
}

// next moves on to the next chunk; x.left stays 0 if there is none yet.
func (x *xzReader) next() error {
	switch {
	case len(x.feed.header)+x.feed.payload > 0:
		return errXZ // the decoder has not used up a chunk
	case x.open:
		return noEOF(x.chunk())
	}
	size, err := x.in.ReadByte()
	if err != nil {
		return noEOF(err)
	}
	if size != 0 {
		return noEOF(x.block(size))
	}
	if err := x.index(); err != nil {
		return noEOF(err)
	}
	if err := skipZeros(x.in); err != nil {
		return err // io.EOF is the end of the file
	}
	return x.stream()
}

// stream reads a stream header.
func (x *xzReader) stream() error {
	var h [12]byte
	if _, err := io.ReadFull(x.in, h[:]); err != nil {
		return noEOF(err)
	}
	if string(h[:7]) != "\xFD7zXZ\x00\x00" || crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) {
		return errXZ
	}
	x.flags, x.blocks = h[7], 0
	return nil
}

// block reads a block header whose first byte was size.
func (x *xzReader) block(size byte) error {
	h := make([]byte, (int(size)+1)*4)
	h[0] = size
	if _, err := io.ReadFull(x.in, h[1:]); err != nil {
		return err
	}
	h, sum := h[:len(h)-4], h[len(h)-4:]
	if crc32.ChecksumIEEE(h) != binary.LittleEndian.Uint32(sum) {
		return errXZ
	}
	rest := bytes.NewReader(h[2:])
	for _, present := range []byte{0x40, 0x80} { // sizes, for seeking
		if h[1]&present != 0 {
			if _, err := binary.ReadUvarint(rest); err != nil {
				return errXZ
			}
		}
	}
	var filter [3]byte
	if _, err := io.ReadFull(rest, filter[:]); err != nil {
		return errXZ
	}
	if h[1]&0x3F != 0 || filter[0] != 0x21 || filter[1] != 1 {
		return rewrite.Refusef("", 0, "the build context is compressed with an xz filter other than LZMA2; use xz without filters")
	}
	dict, err := lzma.DecodeDictCap(filter[2])
	if err != nil {
		return errXZ
	}
	if dict > maxWindow {
		return refuseWindow("xz", "xz -6 or less")
	}
	if dict = max(dict, lzma.MinDictCap); dict > x.dict {
		x.lz, x.dict = nil, dict
	}
	x.open, x.first, x.size = true, true, 0
	x.blocks++
	return x.newCheck()
}

func (x *xzReader) newCheck() error {
	switch x.flags {
	case 0:
		x.check = nil
	case 1:
		x.check = crc32.NewIEEE()
	case 4:
		x.check = crc64.New(crc64Table)
	case 10:
		x.check = sha256.New()
	default:
		return errXZ
	}
	return nil
}

// chunk reads the header of an LZMA2 chunk, or the end of the block.
func (x *xzReader) chunk() error {
	control, err := x.in.ReadByte()
	if err != nil {
		return err
	}
	x.size++
	h := append(x.feed.buf[:0], control)
	switch {
	case control == 0:
		x.open = false
		return x.closeBlock()
	case x.first && control != 1 && control < 0xE0, control > 2 && control < 0x80:
		return errXZ // a block starts with an empty dictionary
	case control <= 2:
		h = h[:3]
	case control < 0xC0:
		h = h[:5]
	default:
		h = h[:6]
	}
	if _, err := io.ReadFull(x.in, h[1:]); err != nil {
		return err
	}
	x.left = int(binary.BigEndian.Uint16(h[1:])) + 1
	x.feed.header, x.feed.payload = h, x.left
	if control >= 0x80 {
		x.left += int(control&0x1F) << 16
		x.feed.payload = int(binary.BigEndian.Uint16(h[3:])) + 1
	}
	x.first = false
	x.size += int64(len(h) - 1 + x.feed.payload)
	if x.lz == nil {
		x.lz, err = lzma.Reader2Config{DictCap: int(x.dict)}.NewReader2(&x.feed)
	}
	return err
}

// closeBlock reads the padding and the check that end a block.
func (x *xzReader) closeBlock() error {
	if err := x.padding(x.size); err != nil || x.check == nil {
		return err
	}
	got := x.check.Sum(nil)
	if x.flags != 10 {
		slices.Reverse(got) // CRCs are stored with their lowest byte first
	}
	want := make([]byte, len(got))
	if _, err := io.ReadFull(x.in, want); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errXZ
	}
	return nil
}

// padding reads the zeros that follow n bytes up to a multiple of four.
func (x *xzReader) padding(n int64) error {
	for ; n%4 != 0; n++ {
		if b, err := x.in.ReadByte(); err != nil || b != 0 {
			return cmp.Or(err, errXZ)
		}
	}
	return nil
}

// index reads the index, whose first byte was read, and the stream footer.
func (x *xzReader) index() error {
	r := &sumReader{in: x.in, n: 1}
	r.crc = crc32.Update(0, crc32.IEEETable, []byte{0})
	records, err := binary.ReadUvarint(r)
	if err != nil || records != x.blocks {
		return cmp.Or(err, errXZ)
	}
	for range 2 * records {
		if _, err := binary.ReadUvarint(r); err != nil {
			return err
		}
	}
	for r.n%4 != 0 {
		if b, err := r.ReadByte(); err != nil || b != 0 {
			return cmp.Or(err, errXZ)
		}
	}
	var tail [16]byte // the index's CRC and the footer
	if _, err := io.ReadFull(x.in, tail[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(tail[:]) != r.crc || binary.LittleEndian.Uint32(tail[4:]) != crc32.ChecksumIEEE(tail[8:14]) ||
		tail[12] != 0 || tail[13] != x.flags || string(tail[14:]) != "YZ" {
		return errXZ
	}
	return nil
}

// A chunkFeed is what the LZMA2 decoder reads: one chunk at a time.
type chunkFeed struct {
	in      *bufio.Reader
	buf     [6]byte
	header  []byte
	payload int
}

func (f *chunkFeed) Read(p []byte) (int, error) {
	if len(f.header) > 0 {
		n := copy(p, f.header)
		f.header = f.header[n:]
		return n, nil
	}
	if f.payload == 0 {
		return 0, io.EOF
	}
	n, err := f.in.Read(p[:min(len(p), f.payload)])
	f.payload -= n
	return n, noEOF(err)
}

// A sumReader reads bytes and their CRC-32.
type sumReader struct {
	in  *bufio.Reader
	n   int64
	crc uint32
}

func (r *sumReader) ReadByte() (byte, error) {
	b, err := r.in.ReadByte()
	if err == nil {
		r.n++
		r.crc = crc32.Update(r.crc, crc32.IEEETable, []byte{b})
	}
	return b, err
}
