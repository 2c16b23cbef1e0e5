package rewrite

import (
	"bytes"
	"encoding/binary"
	"strings"
)

const blockSize = 512

var zeros = strings.Repeat("\x00", blockSize)

// quick sends the next entry on as it is, if it is a small file or a directory
// with the plainest of headers, and of no interest to the tree. Nearly all
// entries of nearly all contexts are; parsing and writing them anew takes more
// time than everything else. It reports false, with nothing read, for others.
func (c *contextCopy) quick() (bool, error) {
	head, err := c.in.Peek(blockSize)
	if err != nil {
		return false, nil
	}
	raw, size, ok := plainHeader(head)
	if !ok {
		return false, nil
	}
	name, err := entryName(raw)
	if err != nil || name == "." || isReserved(name) || !c.files.ordinary(name) {
		return false, nil
	}
	pad := -size & (blockSize - 1)
	entry, err := c.in.Peek(blockSize + size + pad)
	if err != nil {
		return false, nil // large or cut off
	}
	if err := c.count(); err != nil {
		return false, err
	}
	c.files.see(name)
	clear(entry[blockSize+size:])
	if err := c.tw.Flush(); err != nil { // the padding before
		return false, c.writeError(err)
	}
	if _, err := c.out.Write(entry); err != nil {
		return false, c.writeError(err)
	}
	_, err = c.in.Discard(len(entry))
	return true, err
}

// plainHeader returns the name and the size of the regular file or directory
// that a header describes. It knows headers that are ASCII throughout, with
// octal numbers in full width and text filled up with zeros, in the ustar
// format or as GNU tar writes it; on those all readers agree.
func plainHeader(h []byte) (name string, size int, ok bool) {
	gnu := string(h[257:265]) == "ustar  \x00"
	switch typ := h[156]; {
	case !gnu && string(h[257:265]) != "ustar\x0000",
		typ != '0' && typ != '5',
		!zero(h[157:257]), // a link target
		!octal(h[100:108]), !octal(h[108:116]), !octal(h[116:124]), !octal(h[124:136]), !octal(h[136:148]),
		!octal(h[329:337]) && !zero(h[329:337]), !octal(h[337:345]) && !zero(h[337:345]),
		!filled(h[265:297]), !filled(h[297:329]),
		!filled(h[:100]), !filled(h[345:500]), gnu && h[345] != 0, !zero(h[500:512]),
		!plainSum(h):
		return "", 0, false
	}
	name = upToNUL(h[:100])
	if h[345] != 0 {
		name = upToNUL(h[345:500]) + "/" + name
	}
	for _, c := range h[124:135] {
		size = size<<3 | int(c-'0')
	}
	if h[156] == '5' {
		return name, size, size == 0
	}
	return name, size, size <= readBuffer && !strings.HasSuffix(name, "/")
}

// octal reports whether a field is filled with octal digits and a NUL.
func octal(f []byte) bool {
	last := len(f) - 1
	for _, c := range f[:last] {
		if c&^7 != '0' {
			return false
		}
	}
	return f[last] == 0
}

// filled reports whether a field has nothing but zeros after its text.
func filled(f []byte) bool {
	i := bytes.IndexByte(f, 0)
	return i < 0 || zero(f[i:])
}

func zero(f []byte) bool { return string(f) == zeros[:len(f)] }

func upToNUL(f []byte) string {
	if i := bytes.IndexByte(f, 0); i >= 0 {
		f = f[:i]
	}
	return string(f)
}

// plainSum reports whether a header is ASCII and its checksum, six octal
// digits, NUL and space, is right.
func plainSum(h []byte) bool {
	const odd = 0x00FF00FF00FF00FF
	var all, sums uint64
	for i := 0; i < blockSize; i += 8 {
		w := binary.LittleEndian.Uint64(h[i:])
		all |= w
		sums += w&odd + w>>8&odd // in four lanes, which ASCII cannot overflow
	}
	if all&0x8080808080808080 != 0 || !octal(h[148:155]) || h[155] != ' ' {
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
