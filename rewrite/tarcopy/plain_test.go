package tarcopy

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"sockguard/rewrite/internal/tartest"
)

func TestPlainHeader(t *testing.T) {
	at := time.Unix(1700000000, 0)
	long := "0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789"
	sum := tartest.Header(t, tar.Header{Name: "a", Typeflag: tar.TypeReg})
	sum[148]++
	junk := tartest.Header(t, tar.Header{Name: "a", Typeflag: tar.TypeReg})
	junk[511] = 1
	hidden := tartest.Header(t, tar.Header{Name: "a\x01b", Typeflag: tar.TypeReg})
	hidden[1] = 0
	tartest.Resum(hidden)
	foreign := tartest.Header(t, tar.Header{Name: "a", Typeflag: tar.TypeReg})
	foreign[0] = 0xe4
	tartest.Resum(foreign)
	tests := []struct {
		name string
		h    []byte
		want string
	}{
		{"file", tartest.Header(t, tar.Header{Name: "a/b", Typeflag: tar.TypeReg, Size: 77, Mode: 0o644, ModTime: at, Uname: "x"}), "a/b 77"},
		{"gnu", tartest.Header(t, tar.Header{Name: "a/b", Typeflag: tar.TypeReg, Size: 77, Format: tar.FormatGNU}), "a/b 77"},
		{"dir", tartest.Header(t, tar.Header{Name: "a/", Typeflag: tar.TypeDir}), "a/ 0"},
		{"prefix", tartest.Header(t, tar.Header{Name: long, Typeflag: tar.TypeReg}), long + " 0"},
		{"link", tartest.Header(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b"}), "no"},
		{"large", tartest.Header(t, tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 1 << 20}), "a 1048576"},
		{"large number", tartest.Header(t, tar.Header{Name: "a", Typeflag: tar.TypeReg, Uid: 1 << 30, Format: tar.FormatGNU}), "no"},
		{"gnu, not ASCII", tartest.Header(t, tar.Header{Name: "ä/\xff", Typeflag: tar.TypeReg, Format: tar.FormatGNU}), "ä/\xff 0"},
		{"gnu, an owner that is not ASCII", tartest.Header(t, tar.Header{Name: "a", Uname: "ä", Typeflag: tar.TypeReg, Format: tar.FormatGNU}), "no"},
		{"ustar, not ASCII", foreign, "no"},
		{"wrong sum", sum, "no"},
		{"after the fields", junk, "no"},
		{"after a name", hidden, "no"},
		{"end", make([]byte, blockSize), "no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "no"
			if name, size, ok := plainHeader(tt.h, nil); ok {
				got = fmt.Sprintf("%s %d", name, size)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// archive/tar reads the same name and size from a plain header.
func FuzzPlainHeader(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte("\x9c\x30\x9d\x00"), true)
	f.Fuzz(func(t *testing.T, edits []byte, gnu bool) {
		h := tar.Header{Name: "dir/file", Typeflag: tar.TypeReg, Size: 3, Uname: "u"}
		if gnu {
			h.Format = tar.FormatGNU
		}
		block := tartest.Header(t, h)
		for ; len(edits) >= 3; edits = edits[3:] {
			block[(int(edits[0])<<8|int(edits[1]))%blockSize] = edits[2]
		}
		tartest.Resum(block)
		name, size, ok := plainHeader(block, nil)
		if !ok {
			return
		}
		got, err := tar.NewReader(io.MultiReader(bytes.NewReader(block), &tartest.Filler{N: size})).Next()
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != string(name) || got.Size != size || got.Linkname != "" || len(got.PAXRecords) != 0 ||
			got.Typeflag != tar.TypeReg && got.Typeflag != tar.TypeDir {
			t.Errorf("archive/tar reads %+v; want %q, %d bytes", got, name, size)
		}
	})
}
