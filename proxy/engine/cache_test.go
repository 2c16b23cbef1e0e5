package engine

import (
	"fmt"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// The cache keeps few large objects and many small ones, the last of each.
func TestCacheIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name        string
		size        int // of a label
		count, most int
		last        bool // the last one is kept
	}{
		{"small objects", 10, 20000, 2 * cacheSize, true},
		{"large objects", 1 << 20, 100, 8, true},
		{"an object that is too large", cacheBytes, 1, 0, false},
	} {
		var c objectCache
		for i := range tt.count {
			c.put(verdict.Container, verdict.Object{ID: fmt.Sprint(i), Labels: map[string]string{"a": strings.Repeat("x", tt.size)}})
		}
		if n := len(c.young) + len(c.old); n > tt.most {
			t.Errorf("%s: %d are kept, want %d at most", tt.name, n, tt.most)
		}
		if _, ok := c.get(verdict.Container, fmt.Sprint(tt.count-1)); ok != tt.last {
			t.Errorf("%s: the last one is kept: %v", tt.name, ok)
		}
	}
}
