package tarcopy

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"sockguard/rewrite"
	"sockguard/rewrite/internal/tartest"
)

func TestDecompresses(t *testing.T) {
	plain := tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM a"}, tartest.Item{Name: "numbers", Body: strings.Repeat("1 2 3 ", 1<<17)}, tartest.Item{Name: "noise", Body: tartest.Noise(1 << 18)})
	half := len(plain)/2 + 7
	want, err := copied(plain)
	if err != nil {
		t.Fatal(err)
	}
	skippable := []byte("\x50\x2A\x4D\x18\x03\x00\x00\x00abc")
	tests := []struct {
		name string
		in   []byte
	}{
		{"gzip", tartest.Gzip(t, plain)},
		{"gzip members", slices.Concat(tartest.Gzip(t, plain[:half]), tartest.Gzip(t, nil), tartest.Gzip(t, plain[half:]))},
		{"gzip padded", append(tartest.Gzip(t, plain), make([]byte, 700)...)},
		{"zstd", tartest.Zstd(t, plain)},
		{"zstd frames", slices.Concat(tartest.Zstd(t, plain[:half]), skippable, tartest.Zstd(t, plain[half:]))},
		{"zstd skippable first", slices.Concat(skippable, tartest.Zstd(t, plain))},
		{"zstd largest window", tartest.Zstd(t, plain, zstd.WithWindowSize(maxWindow))},
		{"xz", tartest.XZ(t, plain, xz.WriterConfig{})},
		{"xz crc32", tartest.XZ(t, plain, xz.WriterConfig{CheckSum: xz.CRC32})},
		{"xz sha256", tartest.XZ(t, plain, xz.WriterConfig{CheckSum: xz.SHA256})},
		{"xz no check", tartest.XZ(t, plain, xz.WriterConfig{NoCheckSum: true})},
		{"xz blocks", tartest.XZ(t, plain, xz.WriterConfig{BlockSize: 99_999})},
		{"xz streams", slices.Concat(tartest.XZ(t, plain[:half], xz.WriterConfig{DictCap: 1 << 16}), make([]byte, 8),
			tartest.XZ(t, plain[half:], xz.WriterConfig{DictCap: 1 << 20}))},
		{"padded tar", append(slices.Clone(plain), make([]byte, 10<<20)...)},
		{"tar without an end", plain[:len(plain)-1024]},
		{"tar with half an end", plain[:len(plain)-512]},
		{"tar after tar", slices.Concat(plain, tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM evil"}))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := copied(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Error("not the same archive as uncompressed")
			}
		})
	}
}

// The files come from the bzip2 tool, as Go has no writer for it, and from the xz
// tool with features that the Go writer lacks.
func TestDecompressesToolOutput(t *testing.T) {
	bz := tartest.ReadFile(t, "testdata/plain.tar.bz2")
	want, err := copied(bz)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"blocks.tar.xz", "filter.tar.xz"} {
		got, err := copied(tartest.ReadFile(t, "testdata/"+name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("bzip2 and %s differ", name)
		}
	}
	if !bytes.Contains(want, []byte("FROM a\n")) || !bytes.Contains(want, []byte("2999\n3000\n")) {
		t.Errorf("got %q", want[:2048])
	}
}

func TestCopyRefusesStreams(t *testing.T) {
	plain := tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM a"}, tartest.Item{Name: "noise", Body: tartest.Noise(1 << 16)})
	polyglotName := tartest.Of(t, tartest.Item{Name: "BZh9", Body: "x"}, tartest.Item{Name: "Dockerfile", Body: "FROM a"})
	flipped := func(b []byte) []byte { b = slices.Clone(b); b[len(b)/2] ^= 1; return b }
	xzCheckDamaged := tartest.XZ(t, []byte("x"), xz.WriterConfig{CheckSum: xz.CRC32})
	xzCheckDamaged[len(xzCheckDamaged)-12-8-1] ^= 1 // before the index and the footer
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"text", []byte("FROM a\n"), "ends in the middle"},
		{"text of a block", []byte(strings.Repeat("FROM a\n", 1000)), "not a tar archive"},
		{"gzip twice", tartest.Gzip(t, tartest.Gzip(t, plain)), "not a tar archive"},
		{"zstd in gzip", tartest.Gzip(t, tartest.Zstd(t, plain)), "not a tar archive"},
		{"gzip garbage", append(tartest.Gzip(t, plain), "x"...), "ends in the middle"},
		{"gzip more garbage", append(tartest.Gzip(t, plain), strings.Repeat("x", 100)...), "gzip: invalid header"},
		{"gzip damaged", flipped(tartest.Gzip(t, plain)), ""},
		{"zstd garbage", append(tartest.Zstd(t, plain), "garbage"...), "magic"},
		{"zstd damaged", flipped(tartest.Zstd(t, plain, zstd.WithEncoderCRC(true))), ""},
		{"zstd window", tartest.Zstd(t, make([]byte, 4*maxWindow), zstd.WithWindowSize(2*maxWindow)), "zstd window of more than 8 MiB"},
		{"xz garbage", append(tartest.XZ(t, plain, xz.WriterConfig{}), "garbage garbage"...), "xz"},
		{"xz damaged", flipped(tartest.XZ(t, plain, xz.WriterConfig{})), ""},
		{"xz check damaged", xzCheckDamaged, "xz: data is corrupt"},
		{"xz window", tartest.ReadFile(t, "testdata/window.tar.xz"), "xz window of more than 8 MiB"},
		{"bzip2 garbage", append(tartest.ReadFile(t, "testdata/plain.tar.bz2"), "garbage"...), "bzip2"},
		{"bzip2 by the first name, as in an engine", polyglotName, "bzip2"},
		{"endless tail", append(slices.Clone(plain), make([]byte, maxTail+1)...), "follow the end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := copied(tt.in)
			if _, ok := errors.AsType[*rewrite.Refusal](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want a refusal with %q", err, tt.want)
			}
			tartest.CheckCut(t, out)
		})
	}
}

// A stream that ends early is refused, wherever it ends.
func TestCopyRefusesTruncation(t *testing.T) {
	plain := tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM a"}, tartest.Item{Name: "d/x", Body: tartest.Noise(700)}, tartest.Item{Name: "link", Link: "x"})
	for name, in := range map[string][]byte{
		"gzip": tartest.Gzip(t, plain), "zstd": tartest.Zstd(t, plain), "xz": tartest.XZ(t, plain, xz.WriterConfig{}), "bzip2": tartest.ReadFile(t, "testdata/plain.tar.bz2"),
	} {
		for n := 1; n < len(in); n += 1 + n/40 {
			out, err := copied(in[:n])
			if _, ok := errors.AsType[*rewrite.Refusal](err); !ok {
				t.Fatalf("%s cut to %d of %d bytes: got error %v, want a refusal", name, n, len(in), err)
			}
			tartest.CheckCut(t, out)
		}
	}
}
