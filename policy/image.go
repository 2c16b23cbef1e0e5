package policy

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/distribution/reference"
)

// useImage decides routes that read one image. An inspect or history goes
// upstream by ID; a save keeps the name, which the archive is to carry.
func useImage(c *call) error {
	o, err := c.use(Image, c.Request.Name)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(c.Route.Pattern, "/get") {
		c.out.Name = o.ID
		if c.Query.Get("manifests") != "" {
			c.out.Response = c.inspectImage
		}
		return nil
	}
	names, err := c.savedNames(c.Request.Name)
	if err == nil && len(names) > 1 {
		return bad("image", "repository %s has several tags: name them one by one as docker save %s:TAG", c.Request.Name, c.Request.Name)
	}
	if err == nil {
		c.out.Name = names[0]
	}
	return err
}

// saveImages decides GET /images/get: every name must be usable, and a bare
// repository, which stands for all its tags, is spelled out.
func saveImages(c *call) error {
	var names []string
	for _, name := range c.Query["names"] {
		n, err := c.savedNames(name)
		if err != nil {
			return err
		}
		names = append(names, n...)
	}
	c.out.Query["names"] = names
	return nil
}

// savedNames returns the names that a save of name is to contain. The engine
// exports every tag of a bare repository; foreign ones are left out.
func (c *call) savedNames(name string) ([]string, error) {
	tags, err := c.repositoryTags(name)
	if err != nil || len(tags) > 0 {
		return tags, err
	}
	o, err := c.use(Image, name)
	return []string{pinnedRef(name, o)}, err
}

// repositoryTags returns the tags of a bare repository name that may be used,
// nothing for any other reference.
func (c *call) repositoryTags(name string) ([]string, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil || !reference.IsNameOnly(named) {
		return nil, nil
	}
	images, err := c.inspector.Images(c.ctx, reference.FamiliarName(named))
	if err != nil {
		return nil, err
	}
	var tags []string
	for _, o := range images {
		if !c.owns(o.Labels) && !c.shared(Image, o) {
			continue
		}
		for _, tag := range o.Tags {
			if t, err := reference.ParseNormalizedNamed(tag); err == nil && t.Name() == named.Name() {
				tags = append(tags, tag)
			}
		}
	}
	return tags, nil
}

// pushImage decides a push: the image must be usable, and without a tag, which
// means every tag of the repository, none of them may be somebody else's.
func pushImage(c *call) error {
	name := c.Request.Name
	if err := c.checkRegistry(name); err != nil {
		return err
	}
	ref := joinTag(name, c.Query.Get("tag"))
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return bad("image", "%s is no image name: %v; write registry/name:tag", quoted(name), err)
	}
	if !reference.IsNameOnly(named) {
		_, err := c.use(Image, ref)
		return err
	}
	images, err := c.inspector.Images(c.ctx, reference.FamiliarName(named)) // lists match no other spelling
	if err != nil {
		return err
	}
	foreign := 0
	for _, o := range images {
		if !c.owns(o.Labels) && !c.shared(Image, o) {
			foreign++
		}
	}
	switch {
	case foreign == len(images):
		return c.notFound(Image, name, fmt.Sprintf("none of the %d tagged images of %s is %s's", foreign, name, c.Owner))
	case foreign > 0:
		return deny("image", "push of all tags of %s: some are not yours; name the tag to push", name)
	}
	return nil
}

// tagImage decides POST /images/{name}/tag: the source goes upstream by ID, the
// target must not take a name away from anybody.
func tagImage(c *call) error {
	o, err := c.use(Image, c.Request.Name)
	if err != nil {
		return err
	}
	c.out.Name = o.ID
	return c.mayTag(joinTag(c.Query.Get("repo"), c.Query.Get("tag")))
}

// removeImage decides DELETE /images/{name}. A name goes upstream as a name and
// an ID as an ID: by name the engine untags, by ID it removes every tag.
func removeImage(c *call) error {
	o, err := c.own(Image, c.Request.Name)
	c.out.Name = pinnedRef(c.Request.Name, o)
	if d, ok := errors.AsType[*Denied](err); ok && d.Truth != "" {
		if o, err := c.find(Image, c.Request.Name); err == nil && c.shared(Image, o) {
			return deny("image", "removal of %s: it has no owner, others may use it; ask the operator", c.Request.Name)
		}
	}
	return err
}

// createImage decides POST /images/create, a pull or an import.
func createImage(c *call) error {
	from, src := c.Query.Get("fromImage"), c.Query.Get("fromSrc")
	switch {
	case from != "":
		c.out.Stream = false
		ref := joinTag(from, c.Query.Get("tag"))
		for _, check := range []func(string) error{c.checkRegistry, c.mayPull, c.mayPullAll} {
			if err := check(ref); err != nil {
				return err
			}
		}
		return nil
	case src == "-":
		return c.importImage()
	case src == "":
		return bad("image", "neither fromImage nor fromSrc is given; name an image to pull")
	}
	return deny("import", "import from %s: the engine would fetch it with the host's network; download it yourself and import it from standard input", src)
}

// importImage labels an image made of a tar. The owner's LABEL is the first
// change, where no other can swallow it.
func (c *call) importImage() error {
	changes, err := c.checkChanges(c.Query["changes"])
	if err != nil {
		return err
	}
	label, err := c.labelInstruction()
	if err != nil {
		return err
	}
	c.out.Query["changes"] = append([]string{label}, changes...)
	return c.mayTag(joinTag(c.Query.Get("repo"), c.Query.Get("tag")))
}

// mayTag refuses a name that an image of somebody else, or of nobody, has now:
// the engine would silently take it away.
func (c *call) mayTag(ref string) error {
	o, held, err := c.holder(ref)
	if err != nil || !held || c.owns(o.Labels) {
		return err
	}
	return deny("tag", "image name %s is taken: it would be taken away from an image that is not yours; choose another name", ref)
}

// mayPull is mayTag for pulls, which may renew an image without an owner.
func (c *call) mayPull(ref string) error {
	o, held, err := c.holder(ref)
	if err != nil || !held || c.owns(o.Labels) || c.shared(Image, o) {
		return err
	}
	return deny("tag", "image name %s is taken: a pull would take it away from an image that is not yours; choose another name", ref)
}

// mayPullAll is mayPull for a name without a tag, by which the API means all
// tags of the repository.
func (c *call) mayPullAll(ref string) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil || !reference.IsNameOnly(named) {
		return err
	}
	images, err := c.inspector.Images(c.ctx, reference.FamiliarName(named))
	for _, o := range images {
		if !c.owns(o.Labels) && !c.shared(Image, o) {
			return deny("tag", "pull of all tags of %s: some are taken, and it would take them away from images that are not yours; name the tag to pull", ref)
		}
	}
	return err
}

// holder returns the image that has the name now, if any. "" names nothing.
func (c *call) holder(ref string) (o Object, held bool, err error) {
	if ref == "" {
		return o, false, nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return o, false, bad("tag", "%q is no image name: %v", ref, err)
	}
	o, err = c.find(Image, reference.FamiliarString(reference.TagNameOnly(named)))
	if d, ok := errors.AsType[*Denied](err); ok && d.Status == http.StatusNotFound {
		return o, false, nil
	}
	return o, err == nil, err
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
