package tarcopy

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"sockguard/rewrite/internal/tartest"
)

// copyOf copies an archive entry by entry, plain ones as they are.
func copyOf(dst io.Writer, src io.Reader) (err error) {
	c := New("archive", dst, src, 0)
	defer c.Close()
	defer func() {
		if err != nil {
			c.Cut()
		}
	}()
	err = c.Each(func() error {
		_, size, ok, err := c.Plain()
		switch {
		case err != nil:
			return err
		case ok:
			return c.Pass(size)
		}
		return c.Next(func(h *tar.Header) error {
			if err := c.Header(h); err != nil {
				return err
			}
			return c.Payload(h.Size)
		})
	})
	if err != nil {
		return err
	}
	return c.Finish()
}

func copied(archive []byte) ([]byte, error) {
	var out bytes.Buffer
	err := copyOf(&out, bytes.NewReader(archive))
	return out.Bytes(), err
}

// A file that is larger than the read buffer goes on in pieces. Cut off in its
// contents it is refused, and no reader takes what went on for complete; cut
// off in its padding it is whole.
func TestCopyLargeFiles(t *testing.T) {
	for _, size := range []int{1, readBuffer - 1536, readBuffer - 1, readBuffer, 2*readBuffer - 2048, 2*readBuffer + 300, 3 * readBuffer} {
		begin := tartest.Part(t, tartest.Item{Name: "small", Body: tartest.Noise(700)})
		end := len(begin) + blockSize + size
		plain := append(append(begin, tartest.Part(t, tartest.Item{Name: "large", Body: tartest.Noise(size)})...), tartest.Of(t, tartest.Item{Name: "x"})...)
		want, err := copied(plain)
		if err != nil || !bytes.Contains(want, plain[len(begin):end]) {
			t.Fatalf("%d bytes do not go on as they are: %v", size, err)
		}
		dirty := bytes.Clone(plain)
		for i := end; i%blockSize != 0; i++ {
			dirty[i] = 1
		}
		if got, err := copied(dirty); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the padding matters (%v)", size, err)
		}
		whole, err := copied(plain[:end+-end&(blockSize-1)])
		if err != nil {
			t.Fatal(err)
		}
		for _, short := range []int{1, 100, 511, 512, 513, 1024, 1536, readBuffer - 512, readBuffer, readBuffer + 512, size} {
			if short > size {
				continue
			}
			for _, src := range []io.Reader{
				bytes.NewReader(plain[:end-short]),
				io.MultiReader(bytes.NewReader(plain[:end-short]), iotest.ErrReader(errors.New("gone"))),
			} {
				var out bytes.Buffer
				if err := copyOf(&out, src); err == nil {
					t.Errorf("%d of %d bytes are taken for all", size-short, size)
				}
				tartest.CheckCut(t, out.Bytes())
			}
		}
		for cut := end; cut%blockSize != 0; cut += 1 + (-cut&(blockSize-1))/3 {
			if got, err := copied(plain[:cut]); err != nil || !bytes.Equal(got, whole) {
				t.Errorf("%d bytes, cut off in their padding, do not go on as they are: %v", size, err)
			}
			var out bytes.Buffer
			broken := io.MultiReader(bytes.NewReader(plain[:cut]), iotest.ErrReader(errors.New("gone")))
			if err := copyOf(&out, broken); err == nil {
				t.Errorf("%d bytes and a broken upload are taken for all", size)
			}
			tartest.CheckCut(t, out.Bytes())
		}
	}
}

// Nothing is written after a write that failed, and the error is the writer's.
func TestCopyWriteFails(t *testing.T) {
	plain := tartest.Of(t, tartest.Item{Name: "large", Body: tartest.Noise(2 * readBuffer)}, tartest.Item{Name: "small", Body: "x"})
	for room := range 8 {
		w := &fullWriter{room: room * readBuffer / 2}
		err := copyOf(w, bytes.NewReader(plain))
		if room < 5 && (!errors.Is(err, errFull) || w.after > 0) {
			t.Errorf("%d bytes fit: got error %v and %d writes after it, want %v and none", w.room, err, w.after, errFull)
		}
	}
}

var errFull = errors.New("full")

type fullWriter struct{ room, after int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.room < 0 {
		w.after++
	}
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}
