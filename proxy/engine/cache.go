package engine

import (
	"strings"
	"sync"

	"sockguard/policy/verdict"
)

// cacheSize bounds a generation of the object cache.
const cacheSize = 4096

// An objectCache keeps objects by full ID, in two generations. When the young
// generation is full, it becomes the old one, and the old one is dropped. The zero
// value is empty.
type objectCache struct {
	mu         sync.Mutex
	young, old map[cacheKey]verdict.Object
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
	if c.young == nil || len(c.young) >= cacheSize {
		c.old, c.young = c.young, make(map[cacheKey]verdict.Object)
	}
	c.young[key] = o
}
