package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/klauspost/compress/zlib"
)

const (
	// maxPack is the ceiling of the packs that one build holds in memory, as
	// they were received: a repository without its past.
	maxPack = 256 << 20

	// maxPacks is how many builds of one guard hold packs at a time.
	maxPacks = 2

	// maxObjects bounds the objects of one pack, 100 bytes of memory each.
	maxObjects = 1 << 20

	// maxWhole bounds an object that must be in memory whole: trees, and what is
	// stored as a difference. Other files are of any size.
	maxWhole = 64 << 20

	// maxRecent is how many bytes of objects are kept for those that differ from
	// them; one object may be more.
	maxRecent = 32 << 20

	// maxInflated bounds what is decompressed for one build, differences
	// included: a few bytes of a pack may stand for gigabytes.
	maxInflated = 8 << 30

	// maxChain is how many differences in a row a file may be away from a whole
	// object; git's own limit.
	maxChain = 4095

	packChunk = 1 << 20
)

// A gitPack is a pack as it was received, and an index of it. Objects are
// decompressed where they are needed. It is not safe for concurrent use.
type gitPack struct {
	budget  *budget
	chunks  [][]byte // of packChunk bytes, but for the last
	size    int64
	objects []packed // in the order of the pack
	byHash  map[plumbing.Hash]int32

	z      io.ReadCloser // a zlib reader, reused
	end    int64         // where the data end that were decompressed last
	buf    []byte
	recent map[int32][]byte // objects that others may differ from
	held   int
}

// A budget is what one build may still take.
type budget struct {
	pack     int64 // bytes of packs in memory
	inflated int64 // bytes decompressed
}

// A packed is an object in a pack.
type packed struct {
	start, data int64 // where it and its compressed data begin
	size        int64 // of the data, decompressed
	base        int32 // the object that the data is a difference to, or -1
	kind        plumbing.ObjectType
}

// A gitError says what is wrong with a repository, to the client too.
type gitError string

func (e gitError) Error() string { return string(e) }

const (
	errPack     gitError = "it is more than sockguard takes from a git server for one build; name a smaller repository, or download an archive"
	errDamaged  gitError = "the pack that its git server sends is damaged"
	errObjects  gitError = "it has more than a million objects; download an archive"
	errWhole    gitError = "it has a directory of more than 64 MiB, or such a file that its server sends as a difference; download an archive"
	errInflated gitError = "it is larger than 8 GiB; download an archive"
)

// receive reads a pack into memory.
func (p *gitPack) receive(r io.Reader) error {
	for {
		chunk := make([]byte, packChunk)
		n, err := io.ReadFull(r, chunk)
		p.size += int64(n)
		if p.budget.pack -= int64(n); p.budget.pack < 0 {
			return errPack
		}
		p.chunks = append(p.chunks, chunk[:n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// A packReader reads a pack from off. It never reads ahead.
type packReader struct {
	*gitPack
	off int64
}

func (r *packReader) Read(b []byte) (int, error) {
	if r.off >= r.size {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(b, r.chunks[r.off/packChunk][r.off%packChunk:])
	r.off += int64(n)
	return n, nil
}

func (r *packReader) ReadByte() (byte, error) {
	if r.off >= r.size {
		return 0, io.ErrUnexpectedEOF
	}
	b := r.chunks[r.off/packChunk][r.off%packChunk]
	r.off++
	return b, nil
}

// index finds the objects and their names. Git writes an object before those
// that differ from it, so once through is enough.
func (p *gitPack) index(ctx context.Context) error {
	p.buf = make([]byte, 32<<10)
	p.byHash = map[plumbing.Hash]int32{}
	p.recent = map[int32][]byte{}
	r := &packReader{p, 0}
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "PACK" || binary.BigEndian.Uint32(head[4:]) != 2 {
		return errDamaged
	}
	count := binary.BigEndian.Uint32(head[8:])
	if count > maxObjects {
		return errObjects
	}
	for range count {
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := p.header(r)
		if err != nil {
			return err
		}
		p.objects = append(p.objects, o)
		hash, err := p.name(int32(len(p.objects) - 1))
		if err != nil {
			return err
		}
		r.off = p.end
		p.byHash[hash] = int32(len(p.objects) - 1)
	}
	return nil
}

// header reads what stands before an object's data.
func (p *gitPack) header(r *packReader) (packed, error) {
	o := packed{start: r.off, base: -1}
	b, err := r.ReadByte()
	if err != nil {
		return o, errDamaged
	}
	o.kind, o.size = plumbing.ObjectType(b>>4&7), int64(b&15)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if b, err = r.ReadByte(); err != nil || shift > 50 {
			return o, errDamaged
		}
		o.size |= int64(b&0x7f) << shift
	}
	ok := true
	switch o.kind {
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.BlobObject, plumbing.TagObject:
	case plumbing.OFSDeltaObject:
		o.base, ok = p.baseBefore(r, o.start)
	case plumbing.REFDeltaObject:
		var hash plumbing.Hash
		if _, err = io.ReadFull(r, hash[:]); err == nil {
			o.base, ok = p.byHash[hash]
		}
	default:
		ok = false
	}
	if err != nil || !ok {
		return o, errDamaged
	}
	if o.base >= 0 {
		o.kind = p.objects[o.base].kind
	}
	o.data = r.off
	return o, nil
}

// baseBefore reads how far before start an object begins, and finds that.
func (p *gitPack) baseBefore(r *packReader, start int64) (int32, bool) {
	b, err := r.ReadByte()
	back := int64(b & 0x7f)
	for err == nil && b&0x80 != 0 && back < maxPack {
		b, err = r.ReadByte()
		back = (back+1)<<7 | int64(b&0x7f)
	}
	i, ok := slices.BinarySearchFunc(p.objects, start-back, func(o packed, at int64) int { return int(o.start - at) })
	return int32(i), err == nil && ok
}

// name returns the hash of an object; p.end is where its data end.
func (p *gitPack) name(i int32) (plumbing.Hash, error) {
	o := p.objects[i]
	if o.base < 0 {
		h := plumbing.NewHasher(o.kind, o.size)
		err := p.inflate(h, o)
		return h.Sum(), err
	}
	text, err := p.whole(i)
	return plumbing.ComputeHash(o.kind, text), err
}

// inflate decompresses the data of o; p.end is where they end.
func (p *gitPack) inflate(w io.Writer, o packed) (err error) {
	if p.budget.inflated -= o.size; p.budget.inflated < 0 {
		return errInflated
	}
	r := &packReader{p, o.data}
	if p.z == nil {
		p.z, err = zlib.NewReader(r)
	} else {
		err = p.z.(zlib.Resetter).Reset(r, nil)
	}
	if err != nil {
		return errDamaged
	}
	n, err := io.CopyBuffer(w, io.LimitReader(p.z, o.size+1), p.buf)
	if err != nil || n != o.size {
		return errDamaged
	}
	p.end = r.off
	return nil
}

// whole returns an object in memory. The caller does not change it.
func (p *gitPack) whole(i int32) ([]byte, error) {
	// The way from i to an object that is at hand, or that is no difference.
	var chain []int32
	text, ok := p.recent[i]
	for ; !ok; text, ok = p.recent[i] {
		chain = append(chain, i)
		if p.objects[i].base < 0 {
			break
		}
		if len(chain) > maxChain {
			return nil, errDamaged
		}
		i = p.objects[i].base
	}
	for _, i := range slices.Backward(chain) {
		data, err := p.data(p.objects[i])
		if err != nil {
			return nil, err
		}
		if p.objects[i].base < 0 {
			text = data
		} else if text, err = p.patched(text, data); err != nil {
			return nil, err
		}
		p.keep(i, text)
	}
	return text, nil
}

// data decompresses the data of o into memory.
func (p *gitPack) data(o packed) ([]byte, error) {
	if o.size > maxWhole {
		return nil, errWhole
	}
	b := bytes.NewBuffer(make([]byte, 0, o.size))
	err := p.inflate(b, o)
	return b.Bytes(), err
}

// patched applies a difference, which begins with the sizes before and after.
func (p *gitPack) patched(base, delta []byte) ([]byte, error) {
	_, n := binary.Uvarint(delta)
	if n <= 0 {
		return nil, errDamaged
	}
	size, m := binary.Uvarint(delta[n:])
	if m <= 0 {
		return nil, errDamaged
	}
	if size > maxWhole {
		return nil, errWhole
	}
	if p.budget.inflated -= int64(size); p.budget.inflated < 0 {
		return nil, errInflated
	}
	text, err := packfile.PatchDelta(base, delta)
	if err != nil {
		return nil, errDamaged
	}
	return text, nil
}

// keep remembers an object for those that differ from it.
func (p *gitPack) keep(i int32, text []byte) {
	if p.held+len(text) > maxRecent {
		clear(p.recent)
		p.held = 0
	}
	p.recent[i] = text
	p.held += len(text)
}
