package rewrite

import (
	"bufio"
	"io"

	"github.com/ulikunitz/xz"
)

func newXZReader(in *bufio.Reader) (io.Reader, error) {
	return xz.NewReader(in)
}
