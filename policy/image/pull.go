package image

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"sockguard/policy/verdict"
)

// A pull brings one image and may give it a name.
//
// A registry can make a pull last, and the name may be taken meanwhile. So the engine
// pulls by digest, which gives no name. The name is given afterwards.
type pull struct {
	*verdict.Case
	name     reference.Named // with a tag or a digest
	platform string          // "" is the engine's own

	// source is the image that has the name, if it came from the repository.
	source string
	// own is the engine's own platform. A name may always move to it: what everybody
	// gets does not depend on who pulled first.
	own string
}

// newPull returns the pull of ref from a registry that is open.
func newPull(c *verdict.Case, ref, platform string) (*pull, error) {
	named, err := parseName(ref)
	if err != nil {
		return nil, err
	}
	if digested, ok := named.(reference.Canonical); ok { // engines ignore a tag beside it
		if named, err = reference.WithDigest(reference.TrimNamed(named), digested.Digest()); err != nil {
			return nil, verdict.Bad("image", "%s is no image name: %v", verdict.Quoted(ref), err)
		}
	}
	return &pull{Case: c, name: reference.TagNameOnly(named), platform: platform}, CheckRegistry(c, ref)
}

// tag is the name that is given to the image, "" for a pull by digest.
func (p *pull) tag() string {
	if _, ok := p.name.(reference.Tagged); !ok {
		return ""
	}
	return reference.FamiliarString(p.name)
}

// checkHolder refuses to move the name of another owner's image, and that of a shared
// one that did not come from the repository. If only the registry can tell whether it
// did, the registry is asked.
func (p *pull) checkHolder() error {
	if p.tag() == "" {
		return nil
	}
	o, taken, err := p.Lookup(verdict.Image, p.tag())
	if err != nil || !taken || p.Owns(o.Labels) {
		return err
	}
	if !p.Shared(verdict.Image, o) {
		return p.taken()
	}
	digest := p.digestOf(o)
	switch {
	case digest == "":
		return p.madeHere()
	case !p.known(o):
		manifest, err := p.Inspector.Manifest(p.Ctx, p.name.Name()+"@"+digest)
		if err != nil {
			return err
		}
		switch {
		case manifest.Untold: // the pull fails for the same reason, or gives no name
			return nil
		case manifest.Digest != digest:
			return p.madeHere()
		}
	}
	p.source = o.ID
	return nil
}

// known reports whether an image is known to come from the repository, by its digest
// there. With containerd's image store every name has a digest, the ID of the image,
// which does not tell where the image came from.
func (p *pull) known(o verdict.Object) bool {
	digest := p.digestOf(o)
	return digest != "" && digest != o.ID
}

// digestOf returns the digest that an image has in the repository, "" if none.
func (p *pull) digestOf(o verdict.Object) string {
	for _, tag := range o.Tags {
		named, err := reference.ParseNormalizedNamed(tag)
		if c, ok := named.(reference.Canonical); ok && err == nil && c.Name() == p.name.Name() {
			return c.Digest().String()
		}
	}
	return ""
}

// pin asks the registry which image the name leads to there, and pins it by its digest.
// An engine that has one image for each digest fails at the end of a pull for another
// platform: this is refused before.
func (p *pull) pin() (*verdict.Pulled, error) {
	manifest, err := p.Inspector.Manifest(p.Ctx, p.name.String())
	if err != nil {
		return nil, err
	}
	pulled := &verdict.Pulled{
		Ref: p.name.Name() + "@" + manifest.Digest, Digest: manifest.Digest,
		Asked: strings.TrimPrefix(p.name.String(), p.name.Name()),
	}
	p.own = manifest.Platform
	want := cmp.Or(p.platform, p.own)
	if !manifest.Index {
		return pulled, nil
	}
	o, found, err := p.Lookup(verdict.Image, pulled.Ref)
	if err == nil && found && o.ID != manifest.Digest && !o.IsFor(want) {
		err = verdict.Deny("tag", "pull of image %s for %s: it is here for %s, and this engine keeps one platform of an image; pull the image for %s by a digest of its own, or ask the operator to remove the one that is here",
			reference.FamiliarString(p.name), want, o.Platform, want)
	}
	return pulled, err
}

// mayName decides whether image o, which was pulled, may have the name. A name of the
// owner's may move. That of a shared image may only move to one that takes its place:
// from the same repository, shared, and for the same platform or the engine's own.
func (p *pull) mayName(ref string, o verdict.Object) error {
	h, taken, err := p.Lookup(verdict.Image, ref)
	switch {
	case err != nil || !taken || h.ID == o.ID || p.Owns(h.Labels):
		return err
	case !p.Shared(verdict.Image, h):
		return p.taken()
	case h.ID != p.source && !p.known(h):
		return p.madeHere()
	case !p.Shared(verdict.Image, o):
		return verdict.Deny("tag", "image name %s: others use it, and the image that was pulled has an owner; use %s", ref, o.ID)
	case h.Platform != o.Platform && !o.IsFor(h.Platform) && !o.IsFor(p.own):
		return verdict.Deny("tag", "image name %s: others use it for %s, and the image that was pulled is for %s; use %s", ref, h.Platform, o.Platform, o.ID)
	}
	return nil
}

func (p *pull) taken() error {
	return verdict.Deny("tag", "image name %s is taken: a pull would take it away from an image that is not yours; choose another name", reference.FamiliarString(p.name))
}

func (p *pull) madeHere() error {
	return verdict.Deny("tag", "image name %s is taken: others use it for an image that did not come from %s; choose another tag, or pull by digest", reference.FamiliarString(p.name), reference.FamiliarName(p.name))
}

// Pull decides POST /images/create with fromImage=.
func Pull(c *verdict.Case, ref string) error {
	p, err := newPull(c, ref, c.Query.Get("platform"))
	if err == nil {
		err = p.checkHolder()
	}
	if err != nil {
		return err
	}
	if named, err := reference.ParseNormalizedNamed(ref); err != nil || reference.IsNameOnly(named) {
		return verdict.Deny("tag", "pull of all tags of %s: names would move while the registry sends the images; name the tag to pull", ref)
	}
	c.Out.Names = &verdict.Names{May: p.mayName}
	if tag := p.tag(); tag != "" {
		c.Out.Names.Refs = []string{tag}
	}
	c.Out.Pull = func() (*verdict.Pulled, error) {
		pulled, err := p.pin()
		if err == nil {
			c.Out.Query.Set("fromImage", p.name.Name())
			c.Out.Query.Set("tag", pulled.Digest)
		}
		return pulled, err
	}
	return nil
}

// pullBase pulls the image for a FROM and returns it. The build goes on if the name
// cannot be given to it.
func pullBase(c *verdict.Case, ref, platform string) (o verdict.Object, err error) {
	p, err := newPull(c, ref, platform)
	if err == nil {
		err = unlessDenied(p.checkHolder())
	}
	if err != nil {
		return o, err
	}
	pulled, err := p.pin()
	if err != nil {
		return o, err
	}
	if err := p.Inspector.Pull(c.Ctx, pulled, platform); err != nil {
		return o, fmt.Errorf("pull %s: %w", ref, err)
	}
	if o, err = c.Inspector.Base(c.Ctx, pulled.Ref, platform); err != nil {
		return o, c.Inspected(verdict.Image, ref, err)
	}
	if err := c.MustUse(verdict.Image, ref, o); err != nil || p.tag() == "" {
		return o, err
	}
	return o, unlessDenied(c.Inspector.Name(c.Ctx, p.tag(), o, p.mayName))
}

// unlessDenied returns an error that is not a refusal.
func unlessDenied(err error) error {
	if _, denied := errors.AsType[*verdict.Denied](err); denied {
		return nil
	}
	return err
}
