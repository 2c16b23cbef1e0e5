package image

import (
	"strings"

	"sockguard/policy/verdict"

	"github.com/distribution/reference"
)

// mayTag refuses a name of another owner's or a shared image, which would lose it.
func mayTag(c *verdict.Case, ref string) error {
	o, taken, err := holder(c, ref)
	if err != nil || !taken || c.Owns(o.Labels) {
		return err
	}
	return verdict.Deny("tag", "image name %s is taken: it would be taken away from an image that is not yours; choose another name", ref)
}

// mayPull is mayTag for pulls, which may renew a shared image.
func mayPull(c *verdict.Case, ref string) error {
	o, taken, err := holder(c, ref)
	if err != nil || !taken || c.Usable(verdict.Image, o) {
		return err
	}
	return verdict.Deny("tag", "image name %s is taken: a pull would take it away from an image that is not yours; choose another name", ref)
}

// mayPullAny is mayPull for a name with or without a tag. Without one, all tags of
// the repository are pulled.
func mayPullAny(c *verdict.Case, ref string) error {
	if err := CheckRegistry(c, ref); err != nil {
		return err
	}
	if err := mayPull(c, ref); err != nil {
		return err
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil || !reference.IsNameOnly(named) {
		return err
	}
	_, foreign, err := repository(c, named)
	if err == nil && foreign > 0 {
		err = verdict.Deny("tag", "pull of all tags of %s: some are taken, and it would take them away from images that are not yours; name the tag to pull", ref)
	}
	return err
}

// holder returns the image that has the name, if any. No image has the name "".
func holder(c *verdict.Case, ref string) (o verdict.Object, taken bool, err error) {
	if ref == "" {
		return o, false, nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return o, false, verdict.Bad("tag", "%q is no image name: %v", ref, err)
	}
	return c.Lookup(verdict.Image, reference.FamiliarString(reference.TagNameOnly(named)))
}

// repository returns the usable images with a tag in a repository, and the number
// of the others. Engines list a repository by its familiar name only.
func repository(c *verdict.Case, named reference.Named) (usable []verdict.Object, foreign int, err error) {
	images, err := c.Inspector.Images(c.Ctx, reference.FamiliarName(named))
	for _, o := range images {
		if c.Usable(verdict.Image, o) {
			usable = append(usable, o)
		}
	}
	return usable, len(images) - len(usable), err
}

// joinTag puts a repository and a tag or digest together as the engine does.
func joinTag(repo, tag string) string {
	switch {
	case repo == "" || tag == "":
		return repo
	case strings.Contains(tag, ":"):
		return repo + "@" + tag
	}
	return repo + ":" + tag
}
