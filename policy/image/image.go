// Package image decides on images: what may be read, saved, pushed, pulled,
// imported, loaded, committed and built, and which names an owner may give.
package image

import (
	"errors"
	"fmt"

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

// Tag decides POST /images/{name}/tag. The name must be free or the owner's. It goes
// on an image of the owner's. The name for a shared image goes on its twin, which has
// the owner's label.
func Tag(c *verdict.Case) error {
	o, err := c.Use(verdict.Image, c.Request.Name)
	if err != nil {
		return err
	}
	ref := joinTag(c.Query.Get("repo"), c.Query.Get("tag"))
	if ref == "" {
		return verdict.NoName(verdict.Image)
	}
	c.Out.Name = o.ID
	c.Out.Tag = func() (string, error) {
		if c.Owns(o.Labels) {
			return o.ID, nil
		}
		id, err := c.Inspector.Twin(c.Ctx, o, "", map[string]string{c.LabelKey: c.Owner})
		if err != nil {
			err = fmt.Errorf("label image %s: %w", o.ID, err)
		}
		return id, err
	}
	return give(c, ref)
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
		return Pull(c, joinTag(from, c.Query.Get("tag")))
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
	return takeName(c)
}

// takeName has the name in repo= and tag= given to what the request makes.
func takeName(c *verdict.Case) error {
	ref := joinTag(c.Query.Get("repo"), c.Query.Get("tag"))
	c.Out.Query.Del("repo")
	c.Out.Query.Del("tag")
	return give(c, ref)
}

// Load decides POST /images/load. Every image of the archive gets the owner's label
// in place of any other, and a new ID with it. The names in the archive are
// decided while it streams, and replaced by interim ones.
func Load(c *verdict.Case) error {
	names := &verdict.Names{May: func(ref string, o verdict.Object) error { return mayName(c, ref, o) }}
	c.Out.Names = names
	c.Out.Load = &load.Options{
		Labels: []rewrite.Label{{Key: c.LabelKey, Value: c.Owner}},
		Tag:    func(ref string) error { _, err := mayTag(c, ref); return err },
		Rename: names.Interim,
	}
	return nil
}
