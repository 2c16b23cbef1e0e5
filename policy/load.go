package policy

import (
	"sockguard/rewrite"
	"sockguard/rewrite/load"
)

// loadImages decides POST /images/load. Every image of the archive gets the
// owner's label, whatever it says itself, and with it an ID of its own; what
// names it may take is decided while it streams.
func loadImages(c *call) error {
	c.out.Load = &load.Options{
		Labels: []rewrite.Label{{Key: c.LabelKey, Value: c.Owner}},
		Tag:    c.mayTag,
	}
	return nil
}
