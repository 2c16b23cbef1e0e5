package tarcopy

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

const blockSize = 512

var (
	zeros = strings.Repeat("\x00", blockSize)
	nul   = []byte{0}
)

// Plain looks at the next entry. If it is a file or a directory with a plain
// header, or with nothing but a longer name besides ([paxName]), Plain returns its
// name and size, and Pass sends it on as it is. A directory's name ends with a slash.
// The name is valid until the next call. If ok is false nothing was read, and Next
// reads the entry.
func (c *Copy) Plain() (name []byte, size int64, ok bool, err error) {
	h, err := c.look(blockSize)
	if h == nil || err != nil {
		return nil, 0, false, err
	}
	if h[156] != tar.TypeXHeader {
		name, size, ok = plainHeader(h, c.name[:0])
		return name, size, ok, nil
	}
	if h, err = c.look(paxHead); h == nil || err != nil {
		return nil, 0, false, err
	}
	if name, ok = paxName(h); !ok {
		return nil, 0, false, nil
	}
	size, ok = plainEntry(h[2*blockSize:], name)
	return name, size, ok, nil
}

// look returns the next n bytes after those that are ready, and makes them the head of
// the entry at hand. It returns nil if there are no more so many.
func (c *Copy) look(n int) ([]byte, error) {
	if c.ready+n > readBuffer {
		if err := c.send(); err != nil {
			return nil, err
		}
	}
	b, err := c.in.Peek(c.ready + n)
	if err != nil {
		return nil, nil
	}
	c.head = n
	return b[c.ready:], nil
}

// Pass sends on the entry that Plain described, of size bytes.
func (c *Copy) Pass(size int64) error {
	c.ready += c.head
	return c.contents(size)
}

// contents marks the next size bytes, the contents of a file, as ready to be
// sent. It clears the padding after them.
func (c *Copy) contents(size int64) error {
	pad := int(-size & (blockSize - 1))
	c.inside = true
	for size > 0 {
		if c.ready == readBuffer {
			if err := c.send(); err != nil {
				return err
			}
		}
		n := int(min(size, int64(readBuffer-c.ready)))
		if _, err := c.in.Peek(c.ready + n); err != nil {
			return c.readError(noEOF(err))
		}
		c.ready += n
		size -= int64(n)
	}
	c.inside = false
	b, err := c.in.Peek(c.ready + pad)
	if err == nil {
		clear(b[c.ready:])
		c.ready += pad
		return nil
	}
	if err := c.send(); err != nil {
		return err
	}
	if _, err := c.out.WriteString(zeros[:pad]); err != nil {
		return c.writeError(err)
	}
	if err == io.EOF {
		return err // a padding that is cut off is a good end to tar readers
	}
	return c.readError(err)
}

// send writes what is ready.
func (c *Copy) send() error {
	if c.ready == 0 {
		return nil
	}
	b, err := c.in.Peek(c.ready)
	if err != nil {
		return c.readError(err)
	}
	if err := c.tw.Flush(); err != nil { // the padding before
		return c.writeError(err)
	}
	if len(b) >= writeBuffer/2 {
		// With nothing buffered, large writes go straight to dst.
		if err := c.out.Flush(); err != nil {
			return c.writeError(err)
		}
		_, err = c.dst.Write(b)
	} else {
		_, err = c.out.Write(b)
	}
	if err != nil {
		return c.writeError(err)
	}
	_, err = c.in.Discard(c.ready)
	c.ready = 0
	return err
}

// plainHeader returns the name and the size of the file or directory that a header
// describes. The name is a part of h, or of buf where it is in two fields. All readers
// agree on such a header.
func plainHeader(h, buf []byte) (name []byte, size int64, ok bool) {
	name, _, _ = bytes.Cut(h[:100], nul)
	if prefix, _, _ := bytes.Cut(h[345:500], nul); len(prefix) > 0 {
		name = append(append(append(buf[:0], prefix...), '/'), name...)
	}
	size, ok = plainEntry(h, name)
	return name, size, ok
}

// plainEntry returns the size in the header of a file or a directory of that name,
// every other byte of which it judges.
func plainEntry(h, name []byte) (size int64, ok bool) {
	typ := h[156]
	if typ != tar.TypeReg && typ != tar.TypeDir || len(name) == 0 || !plainFields(h) {
		return 0, false
	}
	size = plainSize(h)
	// Only a directory has a slash at the end, and it always has.
	isDir := name[len(name)-1] == '/'
	return size, isDir == (typ == tar.TypeDir) && (size == 0 || !isDir)
}

// plainFields judges every byte of a header but the type: the format is ustar or GNU
// tar's, numbers are octal in full width, text is filled up with zeros, and all is
// ASCII but for a name in GNU tar's format.
func plainFields(h []byte) bool {
	gnu := string(h[257:265]) == "ustar  \x00"
	used, ascii := blockSize, 0
	if gnu {
		ascii = 112 // before that are the name and two numbers
	}
	if zero(h[345:]) {
		used = 352
	}
	switch {
	case !gnu && string(h[257:265]) != "ustar\x0000",
		!zero(h[157:257]), // a link target
		!octal(h[100:]), !octal(h[108:]), !octal(h[116:]), !octal12(h[124:]), !octal12(h[136:]),
		!octal(h[329:]) && !zero(h[329:337]), !octal(h[337:]) && !zero(h[337:345]),
		!filled(h[265:297]), !filled(h[297:329]),
		!filled(h[:100]),
		used == blockSize && (gnu || !filled(h[345:500]) || !zero(h[500:])), // a prefix
		!plainSum(h[:used], ascii):
		return false
	}
	return true
}

// plainSize returns the size in a header that plainFields has judged.
func plainSize(h []byte) (size int64) {
	for _, c := range h[124:135] {
		size = size<<3 | int64(c-'0')
	}
	return size
}

// octal reports whether a field of 8 bytes is filled with octal digits and a NUL.
func octal(f []byte) bool {
	return binary.LittleEndian.Uint64(f)&0xFFF8F8F8F8F8F8F8 == 0x0030303030303030
}

// octal12 is octal for a field of 12 bytes.
func octal12(f []byte) bool {
	return binary.LittleEndian.Uint64(f)&0xF8F8F8F8F8F8F8F8 == 0x3030303030303030 && octal(f[4:])
}

// filled reports whether a field has nothing but zeros after its text.
func filled(f []byte) bool {
	_, rest, _ := bytes.Cut(f, nul)
	return zero(rest)
}

func zero(f []byte) bool { return string(f) == zeros[:len(f)] }

// plainSum reports whether the checksum of a header is right: six octal digits, NUL
// and space. The header begins with h and is zero after it. From the given
// multiple of 16 on it has to be ASCII.
func plainSum(h []byte, ascii int) bool {
	const odd = 0x00FF00FF00FF00FF
	var all, sums uint64
	for i := 0; i < len(h); i += 16 {
		v, w := binary.LittleEndian.Uint64(h[i:]), binary.LittleEndian.Uint64(h[i+8:])
		if i >= ascii {
			all |= v | w
		}
		sums += v&odd + v>>8&odd + w&odd + w>>8&odd // four sums of 16 bits, none of which overflows
	}
	if all&0x8080808080808080 != 0 || binary.LittleEndian.Uint64(h[148:])&0xFFFFF8F8F8F8F8F8 != 0x2000303030303030 {
		return false
	}
	sum := int(sums&0xFFFF + sums>>16&0xFFFF + sums>>32&0xFFFF + sums>>48)
	want := 0
	for _, c := range h[148:154] {
		sum -= int(c)
		want = want<<3 | int(c-'0')
	}
	return sum-' '+8*' ' == want
}
