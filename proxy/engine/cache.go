package engine

import (
	"strings"
	"sync"

	"sockguard/policy"
)

// cacheSize bounds a generation of the object cache.
const cacheSize = 4096

// objectCache remembers objects by full ID in two generations: when the young
// one is full, the old one is forgotten. The zero value is empty.
type objectCache struct {
	mu         sync.Mutex
	young, old map[cacheKey]policy.Object
}

type cacheKey struct {
	kind policy.Kind
	id   string
}

func keyOf(kind policy.Kind, id string) cacheKey {
	return cacheKey{kind, strings.TrimPrefix(id, "sha256:")}
}

func (c *objectCache) get(kind policy.Kind, id string) (policy.Object, bool) {
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

func (c *objectCache) put(kind policy.Kind, o policy.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(keyOf(kind, o.ID), o)
}

func (c *objectCache) add(key cacheKey, o policy.Object) {
	if c.young == nil || len(c.young) >= cacheSize {
		c.old, c.young = c.young, make(map[cacheKey]policy.Object)
	}
	c.young[key] = o
}
