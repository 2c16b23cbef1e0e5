package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sockguard/rewrite/dockerfile"
)

// A Builder does what sockguard needs of the engine ahead of a build.
type Builder interface {
	// Base inspects an image as a build for the platform sees it; "" is the
	// platform of the engine's choice.
	Base(ctx context.Context, ref, platform string) (Object, error)
	// Pull pulls an image with the credentials of the request that ctx is of.
	Pull(ctx context.Context, ref, platform string) error
	// Twin returns the ID of an image that is base with labels besides its own.
	Twin(ctx context.Context, base Object, platform string, labels map[string]string) (string, error)
}

// bases are the images that the Dockerfile of one build names.
//
// The engine of a build would pull a missing image itself, and then run its
// ONBUILD triggers before the first LABEL: so nothing is left to it. Every image
// is there before the upload ends, is inspected, and stands in its FROM by ID,
// for until the engine comes to a FROM a name may have moved. An image with
// triggers is replaced by its twin, from which their containers have the label.
type bases struct {
	*call
	platform string // of the build
	pull     bool   // also what is there
	seen     map[dockerfile.ImageRef]dockerfile.Image
}

// bases takes over what the engine would do about base images.
func (c *call) bases() *bases {
	b := &bases{
		call: c, platform: c.Query.Get("platform"), pull: isTrue(c.Query.Get("pull")),
		seen: map[dockerfile.ImageRef]dockerfile.Image{},
	}
	c.out.Query.Del("pull")
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
	var image dockerfile.Image
	if !ref.From && mistakable(ref.Ref, o) {
		return image, bad("image", "image name %s looks like the beginning of an ID, which it may become; write %s:latest", ref.Ref, ref.Ref)
	}
	if ref.From {
		if image, err = b.from(o, key.Platform); err != nil {
			return image, err
		}
	}
	b.seen[key] = image
	return image, nil
}

// base resolves an image and pulls it where the engine would.
func (b *bases) base(ref, platform string) (Object, error) {
	o, err := b.inspect(ref, platform)
	missing := isMissing(err)
	switch {
	case err != nil && !missing:
		return o, err
	case !missing && !b.owns(o.Labels) && !b.shared(Image, o):
		return o, b.notFound(Image, ref, b.foreign(Image, ref, o))
	case !missing && !b.pull && onPlatform(o, platform):
		return o, nil
	}
	if err := cmp.Or(b.checkRegistry(ref), b.mayPull(ref)); err != nil {
		return o, err
	}
	if err := b.inspector.Pull(b.ctx, ref, platform); err != nil {
		return o, fmt.Errorf("pull %s: %w", ref, err)
	}
	o, err = b.inspect(ref, platform)
	switch {
	case err != nil:
		return o, err
	case !b.owns(o.Labels) && !b.shared(Image, o):
		return o, b.notFound(Image, ref, b.foreign(Image, ref, o))
	case !onPlatform(o, platform):
		return o, deny("platform", "image %s is for %s, not for %s; name a platform that it is for", ref, o.Platform, platform)
	}
	return o, nil
}

func (b *bases) inspect(ref, platform string) (Object, error) {
	o, err := b.inspector.Base(b.ctx, ref, platform)
	if errors.Is(err, ErrNotFound) {
		return o, b.notFound(Image, ref, "")
	}
	if err != nil {
		return o, fmt.Errorf("inspect image: %w", err)
	}
	return o, nil
}

// from returns what a FROM is to start from. The containers of triggers carry
// the labels of the image: an own one has what they need.
func (b *bases) from(o Object, platform string) (dockerfile.Image, error) {
	image := dockerfile.Image{ID: o.ID, OnBuild: o.OnBuild}
	if len(o.OnBuild) > 0 && !b.owns(o.Labels) {
		id, err := b.inspector.Twin(b.ctx, o, platform, map[string]string{b.LabelKey: b.Owner})
		if err != nil {
			return image, fmt.Errorf("label the image with triggers %s: %w", o.ID, err)
		}
		image.ID = id
	}
	if !strings.Contains(image.ID, ":") { // Podman
		image.ID = "sha256:" + image.ID
	}
	return image, nil
}

func isMissing(err error) bool {
	d, ok := errors.AsType[*Denied](err)
	return ok && d.Status == http.StatusNotFound
}

// onPlatform reports whether an image is plainly for the platform that is asked
// for. In doubt it is pulled once more, as the engine would.
func onPlatform(o Object, platform string) bool {
	if platform == "" {
		return true
	}
	want, have := strings.Split(strings.ToLower(platform), "/"), strings.Split(o.Platform, "/")
	switch {
	case len(have) < 2:
		return false
	case len(want) == 1: // a system or an architecture
		return want[0] == have[0] || canonicalArch(want[0]) == have[1]
	}
	return want[0] == have[0] && canonicalArch(want[1]) == have[1] &&
		(len(want) < 3 || len(have) < 3 || want[2] == have[2])
}

// canonicalArch spells an architecture as images do.
func canonicalArch(arch string) string {
	switch arch {
	case "x86_64", "x86-64":
		return "amd64"
	case "aarch64":
		return "arm64"
	case "i386":
		return "386"
	case "armhf", "armel":
		return "arm"
	}
	return arch
}
