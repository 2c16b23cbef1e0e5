package tarcopy

import (
	"bufio"
	"errors"
	"io"

	"github.com/mikelolasagasti/xz"
)

// An xzReader explains the error that a client can mend.
type xzReader struct{ z *xz.Reader }

func newXZReader(in *bufio.Reader) (io.Reader, error) {
	z, err := xz.NewReader(in, maxWindow)
	return xzReader{z}, explainXZ(err)
}

func (x xzReader) Read(p []byte) (int, error) {
	n, err := x.z.Read(p)
	return n, explainXZ(err)
}

// explainXZ refuses a dictionary that is too large and tells an early end from
// damaged data.
func explainXZ(err error) error {
	switch {
	case errors.Is(err, xz.ErrMemlimit):
		return refuseWindow("xz", "xz -6 or less")
	case errors.Is(err, xz.ErrBuf):
		return io.ErrUnexpectedEOF
	}
	return err
}
