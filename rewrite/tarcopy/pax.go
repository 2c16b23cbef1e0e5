package tarcopy

import (
	"archive/tar"
	"bytes"
	"strconv"
)

// paxHead is the size of a PAX header with one block of records and of the header that
// it extends.
const paxHead = 3 * blockSize

// paxName returns the name in a PAX header that has this record only, as the docker
// CLI writes for a name that is not ASCII. ok reports that every byte of the header, the
// record and the zeros after it was judged, and that the header of the entry is in the
// same format.
func paxName(h []byte) (name []byte, ok bool) {
	const ustar = "ustar\x0000"
	record := h[blockSize : 2*blockSize]
	if h[156] != tar.TypeXHeader || string(h[257:265]) != ustar || string(h[2*blockSize+257:][:8]) != ustar || !plainFields(h[:blockSize]) {
		return nil, false
	}
	size := plainSize(h)
	if size == 0 || size > blockSize || !zero(record[size:]) {
		return nil, false
	}
	length, rest, found := bytes.Cut(record[:size], []byte(" "))
	name, path := bytes.CutPrefix(rest, []byte("path="))
	if !found || !path || string(length) != strconv.FormatInt(size, 10) {
		return nil, false
	}
	name, ok = bytes.CutSuffix(name, []byte("\n"))
	return name, ok && len(name) > 0 && !bytes.Contains(name, nul)
}
