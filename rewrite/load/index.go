package load

import (
	"runtime"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
	"sockguard/rewrite/rawjson"
)

// Annotations of descriptors.
const (
	imageNameAnnotation = "io.containerd.image.name" // the full name of an image
	refNameAnnotation   = "org.opencontainers.image.ref.name"
	referenceAnnotation = "vnd.docker.reference.digest" // on an attestation, the image it is about
)

// maxIndexes bounds how deep indexes are nested. BuildKit nests two.
const maxIndexes = 8

// A loaded is a manifest or an index whose images have the labels.
type loaded struct {
	*blob
	item *dockerItem // the image for this machine's platform
}

// layout returns index.json with labelled images, and the items of manifest.json
// for them, each image once.
func (c *rewriter) layout() (jsontext.Value, []*dockerItem, error) {
	index, list, err := readIndex(indexName, c.index)
	if err != nil {
		return nil, nil, err
	}
	kept := []jsontext.Value{}
	var items []*dockerItem
	listed := map[*dockerItem]bool{}
	for _, raw := range list {
		d, l, err := c.descriptor(indexName, raw, 0)
		if err != nil {
			return nil, nil, err
		}
		if l == nil {
			continue
		}
		names, err := c.nameOf(&d)
		if err != nil {
			return nil, nil, err
		}
		if l.item.RepoTags = append(l.item.RepoTags, names...); !listed[l.item] {
			items, listed[l.item] = append(items, l.item), true
		}
		text := d.Marshal()
		if kept, err = append(kept, text), c.spend(len(text)); err != nil {
			return nil, nil, err
		}
	}
	if len(kept) == 0 && len(list) > 0 {
		return nil, nil, rewrite.Refusef(indexName, 0, "no image that it names is in the image archive")
	}
	index.Set("manifests", rawjson.Encode(kept))
	return index.Marshal(), items, nil
}

// nameOf checks the name that a descriptor gives to an image. It writes the full
// name into the descriptor and returns the short one, as RepoTags have it.
func (c *rewriter) nameOf(d *rawjson.Object) ([]string, error) {
	annotations, err := exactObject(indexName+" annotations", d.Value("annotations"))
	if err != nil {
		return nil, err
	}
	for _, key := range []string{imageNameAnnotation, refNameAnnotation} {
		name, err := rawjson.Decode[string](indexName+" "+key, annotations.Value(key))
		if err != nil {
			return nil, err
		}
		if name == "" {
			continue
		}
		full, familiar, err := c.name(indexName, name)
		if err != nil {
			return nil, err
		}
		annotations.Set(imageNameAnnotation, rawjson.Encode(full))
		if c.opts.Rename != nil {
			annotations.Delete(refNameAnnotation)
		}
		d.Set("annotations", annotations.Marshal())
		return []string{familiar}, nil
	}
	return nil, nil
}

// readIndex reads an index and its list of descriptors.
func readIndex(where string, text []byte) (rawjson.Object, []jsontext.Value, error) {
	o, err := exactObject(where, text, "manifests", "config", "layers")
	if err != nil {
		return o, nil, err
	}
	for _, name := range []string{"config", "layers"} {
		if _, ok := o.Get(name); ok {
			return o, nil, rewrite.Refusef("", 0, "%s has a %s like a manifest; an index has manifests only", where, name)
		}
	}
	list, err := rawjson.Decode[[]jsontext.Value](where+".manifests", o.Value("manifests"))
	return o, list, err
}

// descriptor labels what a descriptor of an index names. It returns the new
// descriptor and what it names, nil if the descriptor is to be left out.
func (c *rewriter) descriptor(where string, raw jsontext.Value, depth int) (rawjson.Object, *loaded, error) {
	d, media, old, err := c.target(where, raw)
	if err != nil {
		return d, nil, err
	}
	annotations, err := exactObject(where+" annotations", d.Value("annotations"))
	if err != nil {
		return d, nil, err
	}
	if _, attests := annotations.Get(referenceAnnotation); attests {
		return d, nil, nil
	}
	var label func(*blob) (*loaded, error)
	switch media {
	case "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json":
		label = func(b *blob) (*loaded, error) { return c.nested(b, depth+1) }
	case "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json":
		label = c.imageManifest
	}
	switch {
	case label == nil, old == nil && !c.spilled:
		return d, nil, nil
	case old == nil:
		return d, nil, c.missing(where, "a manifest")
	}
	l, ok := c.images[old]
	if !ok {
		if l, err = label(old); err != nil {
			return d, nil, err
		}
		c.images[old] = l
	}
	if l != nil {
		relink(&d, l.blob)
	}
	return d, l, nil
}

// target reads a descriptor. It returns the blob that the descriptor names, nil if
// that is not kept.
func (c *rewriter) target(where string, raw jsontext.Value) (d rawjson.Object, media string, b *blob, err error) {
	if d, err = exactObject(where, raw, "mediaType", "digest", "size", "data", "annotations", "platform"); err != nil {
		return
	}
	if media, err = rawjson.Decode[string](where+" mediaType", d.Value("mediaType")); err != nil {
		return
	}
	digest, err := rawjson.Decode[string](where+" digest", d.Value("digest"))
	return d, media, c.blobs[digest], err
}

// relink points a descriptor to another blob.
func relink(d *rawjson.Object, b *blob) {
	d.Set("digest", rawjson.Encode(b.digest))
	d.Set("size", jsontext.Value(strconv.Itoa(len(b.text))))
	d.Delete("data")
}

// nested labels the images of an index that another index names. It returns nil if
// no image remains.
func (c *rewriter) nested(old *blob, depth int) (*loaded, error) {
	where := "image index " + old.digest
	if depth > maxIndexes {
		return nil, rewrite.Refusef("", 0, "%s: indexes are nested more than %d deep", where, maxIndexes)
	}
	index, list, err := readIndex(where, old.text)
	if err != nil {
		return nil, err
	}
	var kept []jsontext.Value
	made := &loaded{}
	for _, raw := range list {
		d, l, err := c.descriptor(where, raw, depth)
		if err != nil {
			return nil, err
		}
		if l == nil {
			continue
		}
		if len(kept) == 0 || forThisMachine(&d) {
			made.item = l.item
		}
		kept = append(kept, d.Marshal())
	}
	if len(kept) == 0 {
		return nil, nil
	}
	index.Set("manifests", rawjson.Encode(kept))
	made.blob, err = c.add(index.Marshal())
	return made, err
}

func forThisMachine(d *rawjson.Object) bool {
	platform, err := rawjson.DecodeObject("", d.Value("platform"))
	return err == nil && isString(platform.Value("os"), "linux") && isString(platform.Value("architecture"), runtime.GOARCH)
}

// imageManifest labels the image of a manifest. It returns nil if the manifest is
// not that of an image.
func (c *rewriter) imageManifest(old *blob) (*loaded, error) {
	where := "image manifest " + old.digest
	m, err := exactObject(where, old.text, "config", "layers", "manifests")
	if err != nil {
		return nil, err
	}
	if _, ok := m.Get("manifests"); ok {
		return nil, rewrite.Refusef("", 0, "%s has manifests like an index; a manifest has a config and layers", where)
	}
	d, media, oldConfig, err := c.target(where+".config", m.Value("config"))
	if err != nil {
		return nil, err
	}
	switch {
	case media != "application/vnd.oci.image.config.v1+json" && media != "application/vnd.docker.container.image.v1+json":
		return nil, nil
	case oldConfig == nil:
		return nil, c.missing(where, "its configuration")
	}
	config, err := c.config(oldConfig)
	if err != nil {
		return nil, err
	}
	relink(&d, config)
	m.Set("config", d.Marshal())
	layers, err := c.layerPaths(where, m.Value("layers"))
	if err != nil {
		return nil, err
	}
	made, err := c.add(m.Marshal())
	return &loaded{made, &dockerItem{Config: blobPath(config.digest), Layers: layers}}, err
}
