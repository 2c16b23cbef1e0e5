package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	blockSize  = 512
	filePrefix = "src/"

	// chunkSize is how much the docker CLI puts into one HTTP chunk.
	chunkSize = 32 << 10

	// maxFile is the largest file of a context: a ustar header holds no more
	// than 8 GiB.
	maxFile = 4 << 30
)

// payload is what files hold, over and over: text that compresses about 3:1. It is
// longer than the window of zstd -3, which a decompressor has to hold whole.
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

// A buildContext is a context that is made while it is sent, at next to no cost:
// pieces are framed, and compressed, once.
type buildContext struct {
	Shape string // "large" for a few large files, "small" for many of 4 KiB
	Size  int64  // bytes of the files
	Last  bool   // the Dockerfile comes last, not first
	Codec string // "", "gzip" or "zstd"
}

// fileSize is the size of each file of the context.
func (c buildContext) fileSize() int64 {
	if c.Shape == "small" {
		return 4 << 10
	}
	return max(min(c.Size/4, maxFile)&^(mib-1), mib)
}

// files is how many files the context has, besides the Dockerfile.
func (c buildContext) files() int64 { return c.Size / c.fileSize() }

func (c buildContext) String() string {
	s := fmt.Sprintf("%s in %s files", bytesText(c.Size), c.Shape)
	if c.Codec != "" {
		s += ", " + c.Codec
	}
	if c.Last {
		s += ", Dockerfile last"
	}
	return s
}

const dockerfile = "FROM scratch\nCOPY . /src\nENV A=b\n"

// writeTo sends the context as HTTP chunks.
func (c buildContext) writeTo(w io.Writer) error {
	p := &pieces{w: w, codec: c.Codec}
	if !c.Last {
		p.file("Dockerfile", []byte(dockerfile))
	}
	if c.Shape == "small" {
		p.small(c.files(), int(c.fileSize()))
	} else {
		p.large(c.files(), c.fileSize())
	}
	if c.Last {
		p.file("Dockerfile", []byte(dockerfile))
	}
	p.once(make([]byte, 2*blockSize))
	p.put([]byte("0\r\n\r\n"))
	return p.err
}

// pieces writes a tar archive piece by piece; its first error stays.
type pieces struct {
	w     io.Writer
	codec string
	err   error
}

func (p *pieces) put(wire []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(wire)
	}
}

// once sends bytes that come once.
func (p *pieces) once(b []byte) { p.put(p.wire(b)) }

// wire compresses and frames bytes, as a gzip member or zstd frame of their own.
func (p *pieces) wire(b []byte) []byte { return framed(compressed(b, p.codec)) }

func (p *pieces) file(name string, text []byte) {
	b := append(header(name, int64(len(text))), text...)
	p.once(append(b, make([]byte, -len(b)&(blockSize-1))...))
}

func (p *pieces) large(files, size int64) {
	for i := range files {
		p.once(header(fmt.Sprintf("%s%09d.bin", filePrefix, i), size))
		for left := size; left > 0 && p.err == nil; {
			n := min(left, int64(len(payload)))
			p.put(p.part(int(n)))
			left -= n
		}
	}
}

// wires are beginnings of the payload as they are sent, by codec and size.
var wires sync.Map

func (p *pieces) part(size int) []byte {
	key := fmt.Sprint(p.codec, size)
	wire, ok := wires.Load(key)
	if !ok {
		wire, _ = wires.LoadOrStore(key, p.wire(payload[:size]))
	}
	return wire.([]byte)
}

// small sends files in batches of many, each with a name of its own. Compressed
// ones repeat the names of a batch: compressing them all is not free.
func (p *pieces) small(files int64, size int) {
	batch := int64(mib / (blockSize + size))
	entry := append(header(smallName(0), int64(size)), payload[:size]...)
	text := bytes.Repeat(entry, int(batch))
	var wire []byte
	for at := int64(0); at < files && p.err == nil; at += batch {
		n := min(batch, files-at)
		if p.codec == "" || wire == nil || n < batch {
			for i := range n {
				rename(text[i*int64(len(entry)):], at+i)
			}
			if p.codec == "" {
				wire = appendFramed(wire[:0], text[:n*int64(len(entry))])
			} else {
				wire = p.wire(text[:n*int64(len(entry))])
			}
		}
		p.put(wire)
	}
}

func smallName(n int64) string { return fmt.Sprintf("%s%03d/%09d.txt", filePrefix, n/1000%1000, n) }

// rename puts the name of file n, and the sum, into a header made for file 0.
func rename(h []byte, n int64) {
	digits := func(at, width int, n int64) (sum int64) {
		for i := at + width - 1; i >= at; i-- {
			h[i] = byte('0' + n%10)
			sum += n % 10
			n /= 10
		}
		return sum
	}
	sum := smallSum + digits(len(filePrefix), 3, n/1000%1000) + digits(len(filePrefix)+4, 9, n)
	for i := 153; i >= 148; i-- {
		h[i] = byte('0' + sum&7)
		sum >>= 3
	}
}

// smallSum is the sum of the header of small file 0 of 4 KiB.
var smallSum = checksum(header(smallName(0), 4<<10))

func checksum(h []byte) (sum int64) {
	for i, b := range h {
		if i >= 148 && i < 156 {
			b = ' '
		}
		sum += int64(b)
	}
	return sum
}

func header(name string, size int64) []byte {
	var b bytes.Buffer
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, Format: tar.FormatUSTAR}
	if err := tar.NewWriter(&b).WriteHeader(h); err != nil {
		panic(err) // names and sizes are ours
	}
	return b.Bytes()
}

func compressed(b []byte, codec string) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	switch codec {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		// The window is that of zstd -3; the options are right.
		w, _ = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(2<<20))
	default:
		return b
	}
	if _, err := w.Write(b); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	w.Close()
	return out.Bytes()
}

func framed(b []byte) []byte { return appendFramed(nil, b) }

// appendFramed appends b to wire in HTTP chunks.
func appendFramed(wire, b []byte) []byte {
	for len(b) > 0 {
		n := min(len(b), chunkSize)
		wire = fmt.Appendf(wire, "%x\r\n", n)
		wire = append(append(wire, b[:n]...), '\r', '\n')
		b = b[n:]
	}
	return wire
}

// bytesText writes a size for people, in powers of 1024.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + " " + units[i]
}
