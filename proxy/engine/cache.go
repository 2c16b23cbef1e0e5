package engine

import (
	"strings"
	"sync"

	"sockguard/policy/verdict"
)

// The ceilings of a generation of the object cache. Clients choose how large an object
// is: its labels and, of an image, its volumes and triggers.
const (
	cacheSize  = 4096
	cacheBytes = 4 << 20
)

// An objectCache keeps objects by full ID, in two generations. When the young
// generation is full, it becomes the old one, and the old one is dropped. The zero
// value is empty.
type objectCache struct {
	mu         sync.Mutex
	young, old map[cacheKey]verdict.Object
	bytes      int // of young
}

type cacheKey struct {
	kind verdict.Kind
	id   string
}

func keyOf(kind verdict.Kind, id string) cacheKey {
	return cacheKey{kind, strings.TrimPrefix(id, "sha256:")}
}

func (c *objectCache) get(kind verdict.Kind, id string) (verdict.Object, bool) {
	key := keyOf(kind, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.young[key]
	if ok {
		return o, true
	}
	if o, ok = c.old[key]; ok {
		c.add(key, o)
	}
	return o, ok
}

func (c *objectCache) put(kind verdict.Kind, o verdict.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(keyOf(kind, o.ID), o)
}

func (c *objectCache) add(key cacheKey, o verdict.Object) {
	n := sizeOf(o)
	if n > cacheBytes {
		return
	}
	if c.bytes += n; c.young == nil || len(c.young) >= cacheSize || c.bytes > cacheBytes {
		c.old, c.young, c.bytes = c.young, make(map[cacheKey]verdict.Object), n
	}
	c.young[key] = o
}

// sizeOf is about the memory that an object takes.
func sizeOf(o verdict.Object) int {
	const object, label, text = 512, 96, 16
	n := object
	for key, value := range o.Labels {
		n += label + len(key) + len(value)
	}
	for _, bind := range o.Binds {
		n += 2*text + len(bind.Source)
	}
	for _, list := range [][]string{o.Tags, o.Volumes, o.Mounted, o.OnBuild} {
		for _, s := range list {
			n += text + len(s)
		}
	}
	return n
}
