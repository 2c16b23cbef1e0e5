package buildcontext

import "hash/maphash"

// A pathSet is a set of paths in fixed memory, a Bloom filter. It never forgets a
// path that was added, but may claim to have one that was not. A nil *pathSet is
// empty.
type pathSet struct {
	seed maphash.Seed
	bits []uint64
}

// hashes is how many bits stand for a path.
const hashes = 6

// newPathSet returns an empty set. With 64 bits for each path added it claims to
// have one other path in two million; with 16 bits one in 1,000; with 8 bits one
// in 50.
func newPathSet(bytes int) *pathSet {
	return &pathSet{maphash.MakeSeed(), make([]uint64, bytes/8)}
}

func (s *pathSet) add(path []byte) {
	h := maphash.Bytes(s.seed, path)
	for i := range uint32(hashes) {
		word, mask := s.bit(h, i)
		*word |= mask
	}
}

// addAll adds every path.
func (s *pathSet) addAll() {
	for i := range s.bits {
		s.bits[i] = ^uint64(0)
	}
}

func (s *pathSet) has(path []byte) bool {
	if s == nil {
		return false
	}
	h := maphash.Bytes(s.seed, path)
	for i := range uint32(hashes) {
		if word, mask := s.bit(h, i); *word&mask == 0 {
			return false
		}
	}
	return true
}

// bit returns where the i-th of the bits for a hash is.
func (s *pathSet) bit(h uint64, i uint32) (word *uint64, mask uint64) {
	at := uint32(h) + i*uint32(h>>32|1)
	return &s.bits[at/64%uint32(len(s.bits))], 1 << (at % 64)
}
