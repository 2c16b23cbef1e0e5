package image

import (
	"sockguard/policy/verdict"
	"sockguard/rewrite"
	"sockguard/rewrite/load"
)

// Load decides POST /images/load. Every image of the archive gets the owner's
// label, whatever label it has, and with it an ID of its own. Which names it may
// take is decided while it streams.
func Load(c *verdict.Case) error {
	c.Out.Load = &load.Options{
		Labels: []rewrite.Label{{Key: c.LabelKey, Value: c.Owner}},
		Tag:    func(ref string) error { return mayTag(c, ref) },
	}
	return nil
}
