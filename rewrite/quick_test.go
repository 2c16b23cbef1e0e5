package rewrite

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"time"
)

func headerOf(t testing.TB, h tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// resum sets the checksum of an edited header.
func resum(block []byte) {
	sum := 8 * int(' ')
	for i, c := range block[:blockSize] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", sum))
}

func TestPlainHeader(t *testing.T) {
	at := time.Unix(1700000000, 0)
	long := "0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789"
	sum := headerOf(t, tar.Header{Name: "a", Typeflag: tar.TypeReg})
	sum[148]++
	junk := headerOf(t, tar.Header{Name: "a", Typeflag: tar.TypeReg})
	junk[511] = 1
	hidden := headerOf(t, tar.Header{Name: "a\x01b", Typeflag: tar.TypeReg})
	hidden[1] = 0
	resum(hidden)
	tests := []struct {
		name string
		h    []byte
		want string
	}{
		{"file", headerOf(t, tar.Header{Name: "a/b", Typeflag: tar.TypeReg, Size: 77, Mode: 0o644, ModTime: at, Uname: "x"}), "a/b 77"},
		{"gnu", headerOf(t, tar.Header{Name: "a/b", Typeflag: tar.TypeReg, Size: 77, Format: tar.FormatGNU}), "a/b 77"},
		{"dir", headerOf(t, tar.Header{Name: "a/", Typeflag: tar.TypeDir}), "a/ 0"},
		{"prefix", headerOf(t, tar.Header{Name: long, Typeflag: tar.TypeReg}), long + " 0"},
		{"link", headerOf(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b"}), "no"},
		{"large", headerOf(t, tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 1 << 20}), "a 1048576"},
		{"large number", headerOf(t, tar.Header{Name: "a", Typeflag: tar.TypeReg, Uid: 1 << 30, Format: tar.FormatGNU}), "no"},
		{"not ASCII", headerOf(t, tar.Header{Name: "\xe4", Typeflag: tar.TypeReg, Format: tar.FormatGNU}), "no"},
		{"wrong sum", sum, "no"},
		{"after the fields", junk, "no"},
		{"after a name", hidden, "no"},
		{"end", make([]byte, blockSize), "no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "no"
			if name, size, ok := plainHeader(tt.h); ok {
				got = fmt.Sprintf("%s %d", name, size)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// What goes on without being parsed is what archive/tar reads there, too.
func FuzzPlainHeader(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte("\x9c\x30\x9d\x00"), true)
	f.Fuzz(func(t *testing.T, edits []byte, gnu bool) {
		h := tar.Header{Name: "dir/file", Typeflag: tar.TypeReg, Size: 3, Uname: "u"}
		if gnu {
			h.Format = tar.FormatGNU
		}
		block := headerOf(t, h)
		for ; len(edits) >= 3; edits = edits[3:] {
			block[(int(edits[0])<<8|int(edits[1]))%blockSize] = edits[2]
		}
		resum(block)
		name, size, ok := plainHeader(block)
		if !ok {
			return
		}
		got, err := tar.NewReader(io.MultiReader(bytes.NewReader(block), &anyReader{size})).Next()
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != name || got.Size != size || got.Linkname != "" || len(got.PAXRecords) != 0 ||
			got.Typeflag != tar.TypeReg && got.Typeflag != tar.TypeDir {
			t.Errorf("archive/tar reads %+v; want %q, %d bytes", got, name, size)
		}
	})
}

// A file that is larger than the read buffer goes on in pieces. Cut off in its
// contents it is refused, and no reader takes what went on for complete; cut
// off in its padding it is whole.
func TestContextLargeFiles(t *testing.T) {
	for _, size := range []int{1, readBuffer - 1536, readBuffer - 1, readBuffer, 2*readBuffer - 2048, 2*readBuffer + 300, 3 * readBuffer} {
		begin := part(t, fromA, item{name: "small", body: noise(700)})
		end := len(begin) + blockSize + size
		plain := append(append(begin, part(t, item{name: "large", body: noise(size)})...), tarOf(t, item{name: "x"})...)
		want, _, err := rewriteAll(plain, ContextOptions{})
		if err != nil || !bytes.Contains(want, plain[len(begin):end]) {
			t.Fatalf("%d bytes do not go on as they are: %v", size, err)
		}
		dirty := bytes.Clone(plain)
		for i := end; i%blockSize != 0; i++ {
			dirty[i] = 1
		}
		if got, _, err := rewriteAll(dirty, ContextOptions{}); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the padding matters (%v)", size, err)
		}
		whole, _, err := rewriteAll(plain[:end+-end&(blockSize-1)], ContextOptions{})
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
				if _, err := rewriteContext(&out, src, ContextOptions{}, marked); err == nil {
					t.Errorf("%d of %d bytes are taken for all", size-short, size)
				}
				checkCut(t, out.Bytes())
			}
		}
		for cut := end; cut%blockSize != 0; cut += 1 + (-cut&(blockSize-1))/3 {
			if got, _, err := rewriteAll(plain[:cut], ContextOptions{}); err != nil || !bytes.Equal(got, whole) {
				t.Errorf("%d bytes, cut off in their padding, do not go on as they are: %v", size, err)
			}
			var out bytes.Buffer
			broken := io.MultiReader(bytes.NewReader(plain[:cut]), iotest.ErrReader(errors.New("gone")))
			if _, err := rewriteContext(&out, broken, ContextOptions{}, marked); err == nil {
				t.Errorf("%d bytes and a broken upload are taken for all", size)
			}
			checkCut(t, out.Bytes())
		}
	}
}

// Nothing is written after a write that failed, and the error is the writer's.
func TestContextWriteFails(t *testing.T) {
	plain := tarOf(t, fromA, item{name: "large", body: noise(2 * readBuffer)}, item{name: "small", body: "x"})
	for room := range 8 {
		w := &fullWriter{room: room * readBuffer / 2}
		_, err := rewriteContext(w, bytes.NewReader(plain), ContextOptions{}, marked)
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
