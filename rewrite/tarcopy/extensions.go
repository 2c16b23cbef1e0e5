package tarcopy

import (
	"archive/tar"
	"strconv"
	"strings"

	"sockguard/rewrite"
)

// maxExtensions bounds the extension headers of an entry and its own header. They
// have to fit into the read buffer.
const maxExtensions = 64 << 10

// checkExtensions refuses an entry with more than maxExtensions bytes of extension
// headers (PAX records, GNU long names). archive/tar accepts any number of them, of
// 1 MiB each.
func (c *Copy) checkExtensions() error {
	for off := 0; ; {
		if off+blockSize > maxExtensions {
			return rewrite.Refusef("", 0, "an entry of the %s has extended headers of more than %d bytes", c.what, maxExtensions)
		}
		b, err := c.in.Peek(off + blockSize)
		if err != nil {
			return nil // the reader will find out
		}
		switch b[off+156] {
		case tar.TypeXHeader, tar.TypeXGlobalHeader, tar.TypeGNULongName, tar.TypeGNULongLink:
		default:
			return nil
		}
		size, err := strconv.ParseUint(strings.Trim(string(b[off+124:off+136]), " \x00"), 8, 32)
		if err != nil {
			return rewrite.Refusef("", 0, "the %s is not a tar archive, or a damaged one: extended header without a size", c.what)
		}
		off += blockSize + (int(size)+blockSize-1)&^(blockSize-1)
	}
}
