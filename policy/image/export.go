package image

import (
	"fmt"

	"sockguard/policy/verdict"

	"github.com/distribution/reference"
)

// Save decides GET /images/{name}/get. The name stays a name, because the archive
// carries it.
func Save(c *verdict.Case) error {
	name := c.Request.Name
	if _, err := c.Use(verdict.Image, name); err != nil {
		return err
	}
	ids := map[string]string{}
	names, err := savedNames(c, name, ids)
	switch {
	case err != nil:
		return err
	case len(names) > 1:
		return verdict.Bad("image", "repository %s has several tags: name them one by one as docker save %s:TAG", name, name)
	}
	c.Out.Name = names[0]
	recheck(c, ids)
	return nil
}

// SaveAll decides GET /images/get. Every image must be usable. A bare repository is
// replaced by its tags.
func SaveAll(c *verdict.Case) error {
	var names []string
	ids := map[string]string{}
	for _, name := range c.Query["names"] {
		n, err := savedNames(c, name, ids)
		if err == nil {
			names = append(names, n...)
			err = verdict.CheckList("names", len(names))
		}
		if err != nil {
			return err
		}
	}
	c.Out.Query["names"] = names
	recheck(c, ids)
	return nil
}

// savedNames returns the names to save for name, and puts their IDs into ids. For a
// bare repository, engines save every tag; here these are the tags of usable images.
func savedNames(c *verdict.Case, name string, ids map[string]string) ([]string, error) {
	tags, err := repositoryTags(c, name, ids)
	if err != nil || len(tags) > 0 {
		return tags, err
	}
	o, err := c.Use(verdict.Image, name)
	ref := verdict.PinnedRef(name, o)
	ids[ref] = o.ID
	return []string{ref}, err
}

// recheck refuses the answer if a name leads to another image than before. An
// engine has looked up every name when it begins its answer. Names stay names,
// because the archive carries them.
func recheck(c *verdict.Case, ids map[string]string) {
	c.Out.Recheck = func() error {
		for ref, id := range ids {
			o, err := c.Use(verdict.Image, ref)
			if err != nil {
				return err
			}
			if o.ID != id {
				return verdict.Deny("image", "image name %s was moved meanwhile; try again", ref)
			}
		}
		return nil
	}
}

// repositoryTags returns the tags of usable images in a bare repository, nil if
// name is not one. It puts their IDs into ids.
func repositoryTags(c *verdict.Case, name string, ids map[string]string) (tags []string, err error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil || !reference.IsNameOnly(named) {
		return nil, nil
	}
	usable, _, err := repository(c, named)
	for _, o := range usable {
		for _, tag := range o.Tags {
			if t, err := reference.ParseNormalizedNamed(tag); err == nil && t.Name() == named.Name() {
				tags = append(tags, tag)
				ids[tag] = o.ID
			}
		}
	}
	return tags, err
}

// Push decides POST /images/{name}/push. The image must be usable. A name without
// a tag means every tag of the repository, and all of their images must be usable.
func Push(c *verdict.Case) error {
	name := c.Request.Name
	if err := CheckRegistry(c, name); err != nil {
		return err
	}
	ref := joinTag(name, c.Query.Get("tag"))
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return verdict.Bad("image", "%s is no image name: %v; write registry/name:tag", verdict.Quoted(name), err)
	}
	if !reference.IsNameOnly(named) {
		o, err := c.Use(verdict.Image, ref)
		recheck(c, map[string]string{ref: o.ID})
		return err
	}
	usable, foreign, err := repository(c, named)
	switch {
	case err != nil:
		return err
	case len(usable) == 0:
		return c.NotFound(verdict.Image, name, fmt.Sprintf("none of the %d tagged images of %s is %s's", foreign, name, c.Owner))
	case foreign > 0:
		return verdict.Deny("image", "push of all tags of %s: some are not yours; name the tag to push", name)
	}
	return nil
}
