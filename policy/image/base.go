package image

import (
	"fmt"
	"slices"
	"strings"

	"sockguard/policy/verdict"
	"sockguard/rewrite/dockerfile"
)

// bases are the images that the Dockerfile of one build names.
//
// sockguard pulls and inspects every image before the upload ends, and writes its
// ID into the FROM or COPY --from, because a name may move before the engine reads
// that instruction. The engine runs ONBUILD triggers before the first LABEL. So an
// image with triggers is replaced by its twin, which has the owner's label: the
// containers that run the triggers inherit it. A twin also has the IDs of the images
// that its triggers name.
type bases struct {
	*verdict.Case
	platform string // of the build
	pull     bool   // pull images that exist, too
	seen     map[dockerfile.ImageRef]dockerfile.Image
}

// newBases removes pull= from the request, because sockguard pulls.
func newBases(c *verdict.Case) *bases {
	b := &bases{
		Case: c, platform: c.Query.Get("platform"), pull: verdict.IsTrue(c.Query.Get("pull")),
		seen: map[dockerfile.ImageRef]dockerfile.Image{},
	}
	c.Out.Query.Del("pull")
	return b
}

// image decides on an image of the Dockerfile, once for each reference.
func (b *bases) image(ref dockerfile.ImageRef) (dockerfile.Image, error) {
	key := ref
	key.Line = 0
	if key.Platform == "" {
		key.Platform = b.platform
	}
	if image, ok := b.seen[key]; ok {
		return image, nil
	}
	o, err := b.base(key.Ref, key.Platform)
	if err != nil {
		return dockerfile.Image{}, err
	}
	owned := b.Owns(o.Labels)
	o.Labels, o.Tags = nil, nil // which may be large, and are not needed any more
	image := dockerfile.Image{ID: buildID(o.ID), OnBuild: o.OnBuild}
	image.Triggering = func(onbuild []string) (string, error) { return b.triggering(o, owned, key.Platform, onbuild) }
	b.seen[key] = image
	return image, nil
}

// base finds an image. It pulls it in the cases in which the engine would, and in place
// of one that is not usable, as if that were missing: a build does not tell that there
// is one, by its name or by the beginning of its ID.
func (b *bases) base(ref, platform string) (verdict.Object, error) {
	o, err := b.inspect(ref, platform)
	missing := verdict.IsMissing(err)
	switch {
	case err != nil && !missing:
		return o, err
	case !missing && b.Usable(verdict.Image, o) && !b.pull && o.IsFor(platform):
		return o, nil
	}
	o, err = pullBase(b.Case, ref, platform)
	if err == nil && !o.IsFor(platform) {
		err = verdict.Deny("platform", "image %s is for %s, not for %s; name a platform that it is for", ref, o.Platform, platform)
	}
	return o, err
}

func (b *bases) inspect(ref, platform string) (verdict.Object, error) {
	o, err := b.Inspector.Base(b.Ctx, ref, platform)
	return o, b.Inspected(verdict.Image, ref, err)
}

// triggering returns the image for a FROM that runs the triggers. An image of the
// owner's that has just these triggers needs no twin, because it has the label.
func (b *bases) triggering(o verdict.Object, owned bool, platform string, onbuild []string) (string, error) {
	if owned && slices.Equal(onbuild, o.OnBuild) {
		return buildID(o.ID), nil
	}
	base := o
	base.OnBuild = onbuild
	id, err := b.Inspector.Twin(b.Ctx, base, platform, map[string]string{b.LabelKey: b.Owner})
	if err != nil {
		return "", fmt.Errorf("label the image with triggers %s: %w", o.ID, err)
	}
	return buildID(id), nil
}

// buildID writes an ID so that it cannot name a stage. Podman's are bare.
func buildID(id string) string {
	if strings.Contains(id, ":") {
		return id
	}
	return "sha256:" + id
}
