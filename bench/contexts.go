package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The shapes of a build context.
const (
	large = "large" // a few large files
	small = "small" // many files of smallSize
)

const (
	smallSize = 4 << 10
	largest   = 4 << 30 // a plain tar header holds up to 8 GiB
)

// A buildContext describes a context of a Dockerfile and files.
type buildContext struct {
	Shape string `json:"shape"`
	Size  int64  `json:"size"`            // bytes in the files
	Last  bool   `json:"last,omitempty"`  // the Dockerfile comes last, not first
	Codec string `json:"codec,omitempty"` // "", "gzip" or "zstd"
	Names string `json:"names,omitempty"` // a style of nameStyles, "" for the plain one
}

// A nameStyle is how the files of a context are called.
type nameStyle struct {
	style           string
	root, dir, base string // of a name, before its numbers
	format          tar.Format
}

// nameStyles are the names that clients send.
func nameStyles() []nameStyle {
	return []nameStyle{
		{style: "", dir: "src/"},
		{style: "./ names", root: "./", dir: "src/"}, // of tar c .
		{style: "capitals", dir: "src/App/", base: "File"},
		{style: "non-ASCII names", dir: "src/größe/"},                                   // in a PAX record, as of the docker CLI
		{style: "non-ASCII names of GNU tar", dir: "src/größe/", format: tar.FormatGNU}, // in the plain header
	}
}

func (c buildContext) nameStyle() nameStyle {
	all := nameStyles()
	return all[slices.IndexFunc(all, func(n nameStyle) bool { return n.style == c.Names })]
}

// fileSize is the size of each file.
func (c buildContext) fileSize() int64 {
	if c.Shape == small {
		return smallSize
	}
	return max(min(c.Size/4, largest)&^(mib-1), mib)
}

// files is how many files there are besides the Dockerfile.
func (c buildContext) files() int64 { return c.Size / c.fileSize() }

func (c buildContext) String() string {
	s := fmt.Sprintf("%s in %s files", bytesText(c.Size), c.Shape)
	for _, more := range []string{c.Codec, c.Names} {
		if more != "" {
			s += ", " + more
		}
	}
	if c.Last {
		s += ", Dockerfile last"
	}
	return s
}

// payload is what files hold, repeated: text that compresses to about a third. It
// is longer than the window of zstd -3, so that a decompressor fills its window.
var payload = makePayload(4 << 20)

func makePayload(size int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 512)
	for i := range words {
		words[i] = fmt.Sprintf("%x", rnd.Uint64()>>(rnd.IntN(10)*4))
	}
	var b bytes.Buffer
	for b.Len() < size {
		b.WriteString(words[rnd.IntN(len(words))])
		b.WriteByte(" \n=/"[rnd.IntN(4)])
	}
	return b.Bytes()[:size]
}

// source returns a function that writes the context at little cost: what takes
// long to make, and fits into memory, is made here.
func (c buildContext) source() func(io.Writer) error {
	if c.Size > 256*mib || c.Shape == large && c.Codec == "" {
		return c.writeTo
	}
	var made bytes.Buffer
	if err := c.writeTo(&made); err != nil {
		panic(err) // memory takes everything
	}
	return func(w io.Writer) error {
		for piece := range slices.Chunk(made.Bytes(), mib) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	}
}

// writeTo writes the context while it makes it.
func (c buildContext) writeTo(w io.Writer) error {
	z, err := compressor(w, c.Codec)
	if err != nil {
		return err
	}
	names, t := c.nameStyle(), tar.NewWriter(z)
	file := func(name string, size int64, contents []byte) {
		if err == nil {
			err = t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: names.root + name, Size: size, Mode: 0o644, Format: names.format})
		}
		for left := size; left > 0 && err == nil; left -= int64(len(contents)) {
			_, err = t.Write(contents[:min(left, int64(len(contents)))])
		}
	}
	const dockerfile = "FROM scratch\nCOPY . /src\nENV A=b\n"
	if !c.Last {
		file("Dockerfile", int64(len(dockerfile)), []byte(dockerfile))
	}
	for i := range c.files() {
		file(fmt.Sprintf("%s%03d/%s%09d.txt", names.dir, i/1000%1000, names.base, i), c.fileSize(), payload)
	}
	if c.Last {
		file("Dockerfile", int64(len(dockerfile)), []byte(dockerfile))
	}
	return cmp.Or(err, t.Close(), z.Close())
}

// compressor compresses what is written to it. Its Close does not close w.
func compressor(w io.Writer, codec string) (io.WriteCloser, error) {
	switch codec {
	case "gzip":
		return gzip.NewWriterLevel(w, gzip.BestSpeed)
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(2<<20)) // the window of zstd -3
	}
	return plainWriter{w}, nil
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }
