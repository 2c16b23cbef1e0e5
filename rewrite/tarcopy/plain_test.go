package tarcopy

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
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

// archive/tar reads the same name from a PAX header that has nothing else.
func FuzzPAXName(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte("\x02\x00\x31"), true)
	f.Fuzz(func(t *testing.T, edits []byte, dir bool) {
		h := tar.Header{Name: "größe/é", Typeflag: tar.TypeReg, Size: 3, Format: tar.FormatPAX}
		if dir {
			h = tar.Header{Name: "größe/é/", Typeflag: tar.TypeDir, Format: tar.FormatPAX}
		}
		head := tartest.Header(t, h)
		for ; len(edits) >= 3; edits = edits[3:] {
			head[(int(edits[0])<<8|int(edits[1]))%paxHead] = edits[2]
		}
		tartest.Resum(head[:blockSize])
		tartest.Resum(head[2*blockSize:])
		c := New("archive", io.Discard, bytes.NewReader(head), 0)
		defer c.Close()
		c.limit.r = c.src
		name, size, ok, err := c.Plain()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if len(edits) == 0 && bytes.Equal(head, tartest.Header(t, h)) {
				t.Error("not plain")
			}
			return
		}
		if c.head == blockSize {
			return // no PAX header any more
		}
		got, err := tar.NewReader(io.MultiReader(bytes.NewReader(head), &tartest.Filler{N: size})).Next()
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != string(name) || got.Size != size || got.Linkname != "" || len(got.PAXRecords) != 1 || got.PAXRecords["path"] != string(name) ||
			got.Typeflag != tar.TypeReg && got.Typeflag != tar.TypeDir {
			t.Errorf("archive/tar reads %+v; want %q, %d bytes", got, name, size)
		}
	})
}

func TestPAXName(t *testing.T) {
	file := tar.Header{Name: "größe", Typeflag: tar.TypeReg, Format: tar.FormatPAX, Mode: 0o644, ModTime: time.Unix(1700000000, 0)}
	with := func(edit func(*tar.Header)) []byte {
		h := file
		edit(&h)
		return tartest.Header(t, h)
	}
	edited := func(at int, text string) []byte {
		b := with(func(*tar.Header) {})
		copy(b[at:], text)
		tartest.Resum(b)
		return b
	}
	for _, tt := range []struct {
		name string
		head []byte
		want bool
	}{
		{"file", with(func(*tar.Header) {}), true},
		{"directory", with(func(h *tar.Header) { h.Name, h.Typeflag = "größe/", tar.TypeDir }), true},
		{"long", with(func(h *tar.Header) { h.Name = strings.Repeat("größe/", 60) + "x" }), true},
		{"longer than a block", with(func(h *tar.Header) { h.Name = strings.Repeat("größe/", 80) + "x" }), false},
		{"link", with(func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeSymlink, "a" }), false},
		{"another record", with(func(h *tar.Header) { h.PAXRecords = map[string]string{"SCHILY.xattr.user.a": "b"} }), false},
		{"a time", with(func(h *tar.Header) { h.ModTime = time.Unix(1, 5) }), false},
		{"a name without ASCII", with(func(h *tar.Header) { h.Name = "日本" }), true},
		{"another length", edited(blockSize, "18"), false},
		{"a longer length", edited(blockSize, "016 p"), false},
		{"another key", edited(blockSize+3, "uath"), false},
		{"NUL in the name", edited(blockSize+9, "\x00"), false},
		{"after the record", edited(2*blockSize-1, "x"), false},
		{"a directory by its name", edited(blockSize+14, "/"), false},
		{"a global header", edited(156, "g"), false},
		{"wrong sum", append(edited(0, "x")[:148], append([]byte("000000"), with(func(*tar.Header) {})[154:]...)...), false},
	} {
		c := New("archive", io.Discard, bytes.NewReader(tt.head), 0)
		c.limit.r = c.src
		name, _, ok, err := c.Plain()
		if ok != tt.want || err != nil {
			t.Errorf("%s: got %q, %v, %v", tt.name, name, ok, err)
		}
		c.Close()
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
