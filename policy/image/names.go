package image

import (
	"slices"
	"strings"

	"sockguard/policy/verdict"

	"github.com/distribution/reference"
)

// maxNames bounds the names that one request gives. Each takes three calls of the
// engine.
const maxNames = 100

// give has names given to the image of the request. A request that will not get them
// is refused before its work is done.
func give(c *verdict.Case, refs ...string) error {
	if len(refs) > maxNames {
		return verdict.Bad("tag", "%d names for one image: sockguard gives %d at once; give fewer", len(refs), maxNames)
	}
	names := &verdict.Names{May: func(ref string, o verdict.Object) error { return mayName(c, ref, o) }}
	for _, ref := range refs {
		if ref == "" {
			continue
		}
		ref, err := mayTag(c, ref)
		if err != nil {
			return err
		}
		if !slices.Contains(names.Refs, ref) {
			names.Refs = append(names.Refs, ref)
		}
	}
	if len(names.Refs) > 0 {
		c.Out.Names = names
	}
	return nil
}

// mayName is mayTag for image o. A name that an owner gives always leads to an image
// with the owner's label: other owners cannot take it for a shared one.
func mayName(c *verdict.Case, ref string, o verdict.Object) error {
	if !c.Owns(o.Labels) {
		return verdict.Deny("tag", "image name %s for image %s, which is not yours: others would take it for a shared image; build an image FROM it and name that", ref, o.ID)
	}
	_, err := mayTag(c, ref)
	return err
}

// mayTag returns a name as docker shows it, with a tag. It refuses one that the operator
// did not open, and one of another owner's or a shared image, which would lose it.
func mayTag(c *verdict.Case, ref string) (name string, err error) {
	named, err := parseName(ref)
	if err != nil {
		return "", err
	}
	if _, digested := named.(reference.Digested); digested {
		return "", verdict.Bad("tag", "image name %s has a digest: an engine gives names with a tag only; leave the digest out", ref)
	}
	if repository := reference.FamiliarName(named); !c.AllowsTag(repository) {
		return "", verdict.Deny("tag", "image name %s: the operator opened names in %s only; choose one of them, or ask for --allow-tag %s", ref, strings.Join(c.TagPatterns, ", "), repository)
	}
	name = reference.FamiliarString(reference.TagNameOnly(named))
	o, taken, err := c.Lookup(verdict.Image, name)
	if err != nil || !taken || c.Owns(o.Labels) {
		return name, err
	}
	return "", verdict.Deny("tag", "image name %s is taken: it would be taken away from an image that is not yours; choose another name", ref)
}

// parseName reads a name that an image is to get. Names in sockguard's own repositories
// are refused, and names that engines take for the beginning of an ID.
func parseName(ref string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, verdict.Bad("tag", "%s is no image name: %v; write registry/name:tag", verdict.Quoted(ref), err)
	}
	if reference.FamiliarName(named) == "sha256" { // the beginning of an ID to engines
		return nil, verdict.Bad("image", "image name %s: engines take it for the ID of an image; name one that is there, or another repository than sha256", reference.FamiliarString(named))
	}
	if r := reference.FamiliarName(named); r == verdict.TwinRepository || r == verdict.InterimRepository {
		return nil, verdict.Deny("tag", "image name %s: sockguard uses %s for itself; choose another name", ref, r)
	}
	return named, nil
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
