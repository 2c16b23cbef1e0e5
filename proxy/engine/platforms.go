package engine

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sockguard/policy/verdict"
)

var (
	// severalAPI is the first API of engines whose images can have several platforms.
	// The image inspect of manifestsAPI lists them, that of platformAPI takes one.
	severalAPI   = verdict.Version{Major: 1, Minor: 43}
	manifestsAPI = verdict.Version{Major: 1, Minor: 48}
	platformAPI  = verdict.Version{Major: 1, Minor: 49}
)

// several reports whether an image of the engine can have several platforms.
func (c *Client) several(ctx context.Context) (bool, error) {
	i, err := c.Info(ctx)
	if err != nil || i.API.Less(severalAPI) {
		return false, err
	}
	s, err := c.askSetup(ctx)
	return err == nil && s.several, err
}

// ImageLabels returns the labels of all platforms of an image, of which a list shows
// those of the engine's own platform.
func (c *Client) ImageLabels(ctx context.Context, id string, listed map[string]string) (map[string]string, error) {
	several, err := c.several(ctx)
	if err != nil || !several {
		return listed, err
	}
	o, err := c.Inspect(ctx, verdict.Image, id)
	return o.Labels, err
}

// allPlatforms gives an image the labels of all its platforms that are there. A label
// on which they differ gets a value that is no owner's. A platform without the label
// does not count.
func (c *Client) allPlatforms(ctx context.Context, o verdict.Object) (verdict.Object, error) {
	several, err := c.several(ctx)
	if err != nil || !several {
		return o, err
	}
	found, err := c.platforms(ctx, o)
	if err != nil {
		return o, err
	}
	labels := map[string]string{}
	for _, platform := range found {
		p, err := c.platform(ctx, o.ID, platform)
		if err != nil {
			return o, err
		}
		for key, value := range p.Labels {
			if v, ok := labels[key]; ok && v != value {
				value = v + "\x00" + value
			}
			labels[key] = value
		}
	}
	if found != nil {
		o.Labels = labels
	}
	return o, nil
}

// platforms returns the platforms of an image that are there, nil if the one that was
// inspected is the only one. An image of which the labels cannot be seen counts as
// missing.
func (c *Client) platforms(ctx context.Context, o verdict.Object) ([]string, error) {
	unseen := &Error{http.StatusNotFound, "No such image: " + o.ID}
	inspected, api := strings.Trim(o.Platform, "/") != "", c.info.Load().API
	switch {
	case api.Less(platformAPI) && !inspected:
		return nil, unseen
	case api.Less(manifestsAPI):
		return nil, nil
	}
	var answer struct {
		Manifests []struct {
			Available bool
			Kind      string
			ImageData struct {
				Platform struct{ OS, Architecture, Variant string }
			}
		}
	}
	if err := c.get(ctx, c.versioned(inspectPath(verdict.Image, o.ID)), url.Values{"manifests": {"1"}}, &answer); err != nil {
		return nil, err
	}
	var found []string
	for _, m := range answer.Manifests {
		if m.Kind != "image" || !m.Available {
			continue
		}
		p := m.ImageData.Platform
		platform := strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
		if slices.Contains(found, platform) {
			return nil, unseen // one of them cannot be asked for
		}
		found = append(found, platform)
	}
	switch {
	case len(found) == 1 && inspected:
		return nil, nil
	case len(found) == 0 && !inspected, api.Less(platformAPI):
		return nil, unseen
	}
	return found, nil
}

// platform inspects one platform of an image. What is found is cached: it never
// changes.
func (c *Client) platform(ctx context.Context, id, platform string) (verdict.Object, error) {
	const kind verdict.Kind = "platform"
	key := id + " " + platform
	if o, ok := c.objects.get(kind, key); ok {
		return o, nil
	}
	var answer inspected
	if err := c.image(ctx, id, platform, &answer); err != nil {
		return verdict.Object{}, err
	}
	o := answer.object(verdict.Image)
	o.ID = key
	c.objects.put(kind, o)
	return o, nil
}

// Base inspects an image for a platform. Its ID is that of the whole image, which may
// have other platforms, too.
func (c *Client) Base(ctx context.Context, ref, platform string) (verdict.Object, error) {
	o, err := c.Inspect(ctx, verdict.Image, ref)
	if err != nil || platform == "" {
		return o, err
	}
	if several, err := c.several(ctx); err != nil || !several {
		return o, err
	}
	p, err := c.platform(ctx, o.ID, platform)
	o.Platform, o.Volumes, o.OnBuild, o.Exposed = p.Platform, p.Volumes, p.OnBuild, p.Exposed
	return o, err
}
