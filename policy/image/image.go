// Package image decides on images: what may be read, saved, pushed, pulled,
// imported, loaded, committed and built, and which names an owner may give.
package image

import (
	"errors"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
	"sockguard/rewrite/load"
	"sockguard/rewrite/rawjson"
)

// Read decides routes that read one image: an inspect, its history. The image
// goes upstream by ID.
func Read(c *verdict.Case) error {
	o, err := c.Use(verdict.Image, c.Request.Name)
	if err != nil {
		return err
	}
	c.Out.Name = o.ID
	if c.Query.Get("manifests") != "" {
		c.EditObject("image inspect", func(image *rawjson.Object) error { return showManifests(c, image) })
	}
	return nil
}

// Tag decides POST /images/{name}/tag. The source goes upstream by ID. The new name
// must be free or the owner's.
func Tag(c *verdict.Case) error {
	o, err := c.Use(verdict.Image, c.Request.Name)
	if err != nil {
		return err
	}
	c.Out.Name = o.ID
	return mayTag(c, joinTag(c.Query.Get("repo"), c.Query.Get("tag")))
}

// Remove decides DELETE /images/{name}. A name goes upstream as a name and an ID
// as an ID: by name the engine removes a tag, by ID every tag.
func Remove(c *verdict.Case) error {
	name := c.Request.Name
	o, err := c.Own(verdict.Image, name)
	c.Out.Name = verdict.PinnedRef(name, o)
	if d, ok := errors.AsType[*verdict.Denied](err); ok && d.Truth != "" && c.Shared(verdict.Image, o) {
		return verdict.Deny("image", "removal of %s: it has no owner, others may use it; ask the operator", name)
	}
	return err
}

// Create decides POST /images/create, a pull or an import.
func Create(c *verdict.Case) error {
	from, src := c.Query.Get("fromImage"), c.Query.Get("fromSrc")
	switch {
	case from != "":
		c.Out.Stream = false
		return mayPullAny(c, joinTag(from, c.Query.Get("tag")))
	case src == "-":
		return importImage(c)
	case src == "":
		return verdict.Bad("image", "neither fromImage nor fromSrc is given; name an image to pull")
	}
	return verdict.Deny("import", "import from %s: the engine would fetch it with the host's network; download it yourself and import it from standard input", src)
}

// importImage labels an image made of a tar.
func importImage(c *verdict.Case) error {
	if err := labelChanges(c); err != nil {
		return err
	}
	return mayTag(c, joinTag(c.Query.Get("repo"), c.Query.Get("tag")))
}

// Load decides POST /images/load. Every image of the archive gets the owner's label
// in place of any other, and a new ID with it. The names in the archive are
// decided while it streams.
func Load(c *verdict.Case) error {
	c.Out.Load = &load.Options{
		Labels: []rewrite.Label{{Key: c.LabelKey, Value: c.Owner}},
		Tag:    func(ref string) error { return mayTag(c, ref) },
	}
	return nil
}
