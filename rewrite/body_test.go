package rewrite

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestBody(t *testing.T) {
	errBroken := errors.New("broken")
	tests := []struct {
		name    string
		err     error // of the rewrite
		want    error
		refused bool
	}{
		{name: "good"},
		{name: "broken", err: errBroken, want: errBroken},
		{name: "refused", err: Refusef("x", 1, "no"), want: Refusef("x", 1, "no"), refused: true},
		{name: "never an end after an error", err: io.EOF, want: io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		fn := func(dst io.Writer, src io.Reader) error {
			if _, err := io.Copy(dst, src); err != nil {
				return err
			}
			return tt.err
		}
		read := map[string]func(*Body) (string, error){
			"read": func(b *Body) (string, error) {
				all, err := io.ReadAll(struct{ io.Reader }{b})
				return string(all), err
			},
			"write": func(b *Body) (string, error) {
				var out bytes.Buffer
				n, err := b.WriteTo(&out)
				if n != int64(out.Len()) {
					t.Errorf("wrote %d bytes, reports %d", out.Len(), n)
				}
				return out.String(), err
			},
		}
		for how, read := range read {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				b := NewBody(io.NopCloser(strings.NewReader("text")), fn)
				got, err := read(b)
				if got != "text" || tt.want == nil && err != nil || tt.want != nil && (err == nil || err.Error() != tt.want.Error()) {
					t.Errorf("got %q and error %v, want text and %v", got, err, tt.want)
				}
				if (b.Refusal() != nil) != tt.refused {
					t.Errorf("got refusal %v", b.Refusal())
				}
			})
		}
	}
}

// Close ends a rewrite that nobody reads any more, and closes its source.
func TestBodyClose(t *testing.T) {
	r, w := io.Pipe()
	ended := make(chan error, 1)
	b := NewBody(r, func(dst io.Writer, src io.Reader) error {
		_, err := io.Copy(dst, src)
		ended <- err
		return err
	})
	go w.Write(make([]byte, 100))
	if _, err := b.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the rewrite ends with %v, want %v", err, io.ErrClosedPipe)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the source takes more: %v", err)
	}
}
