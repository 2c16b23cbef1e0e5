package buildcontext

import (
	"hash/maphash"
	"strings"
	"sync"
)

// A pathSet remembers any number of paths in fixed memory, at the price of
// sometimes claiming to have one that it has not: a Bloom filter of 256 KiB with
// three hashes, wrong for one path in 400 after 100,000.
type pathSet struct {
	seed maphash.Seed
	bits [1 << 15]uint64
}

const pathSetMask = 1<<21 - 1

// pathSets are empty.
var pathSets = sync.Pool{New: func() any { return new(pathSet) }}

func newPathSet() *pathSet {
	s := pathSets.Get().(*pathSet)
	s.seed = maphash.MakeSeed()
	return s
}

// leave empties a set that nobody uses any more, for others.
func (s *pathSet) leave() {
	clear(s.bits[:])
	pathSets.Put(s)
}

func (s *pathSet) add(path string) {
	for h, i := maphash.String(s.seed, path), 0; i < 3; h, i = h>>21, i+1 {
		s.bits[h&pathSetMask/64] |= 1 << (h % 64)
	}
}

func (s *pathSet) has(path string) bool {
	for h, i := maphash.String(s.seed, path), 0; i < 3; h, i = h>>21, i+1 {
		if s.bits[h&pathSetMask/64]&(1<<(h%64)) == 0 {
			return false
		}
	}
	return true
}

// hasParent reports whether the set has a directory above path.
func (s *pathSet) hasParent(path string) bool {
	for i := strings.IndexByte(path, '/'); i >= 0; {
		if s.has(path[:i]) {
			return true
		}
		next := strings.IndexByte(path[i+1:], '/')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}
