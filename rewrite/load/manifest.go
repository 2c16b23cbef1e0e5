package load

import (
	"fmt"
	"path"
	"regexp"

	names "github.com/distribution/reference"
	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
	"sockguard/rewrite/rawjson"
)

// maxNames bounds the names that an archive gives to images. Tag is called for
// each of them.
const maxNames = 1000

// A dockerItem is one image in manifest.json.
type dockerItem struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerManifest returns manifest.json with labelled images. Its lists of layers
// stay as they are, as engines compare layers with the configuration.
func (c *rewriter) dockerManifest() (jsontext.Value, error) {
	list, err := rawjson.Decode[[]jsontext.Value](manifestName, c.manifest)
	if err != nil {
		return nil, err
	}
	if list == nil {
		return nil, rewrite.Refusef(manifestName, 0, "this is null; it must be a list")
	}
	items := make([]rawjson.Object, 0, len(list))
	ids := map[string]string{}
	for _, raw := range list {
		item, err := exactObject(manifestName, raw, "Config", "RepoTags", "Layers", "LayerSources", "Parent")
		if err != nil {
			return nil, err
		}
		old, err := c.dockerConfig(&item)
		if err != nil {
			return nil, err
		}
		ids[old.digest] = c.configs[old].digest
		tags, err := rawjson.Decode[[]string](manifestName+" RepoTags", item.Value("RepoTags"))
		if err != nil {
			return nil, err
		}
		for i, name := range tags {
			if _, tags[i], err = c.name(manifestName, name); err != nil {
				return nil, err
			}
		}
		if len(tags) > 0 {
			item.Set("RepoTags", rawjson.Encode(tags))
		}
		items = append(items, item)
		if err := c.spend(len(raw) + keptOverhead); err != nil {
			return nil, err
		}
	}
	values := make([]jsontext.Value, 0, len(items))
	for i := range items {
		if err := renameParent(&items[i], ids); err != nil {
			return nil, err
		}
		values = append(values, items[i].Marshal())
	}
	return rawjson.Encode(values), nil
}

// dockerConfig labels the image of an item and returns the old configuration.
func (c *rewriter) dockerConfig(item *rawjson.Object) (*blob, error) {
	name, err := rawjson.Decode[string](manifestName+" Config", item.Value("Config"))
	if err != nil {
		return nil, err
	}
	old := c.files[path.Join("/", name)[1:]]
	if old == nil {
		return nil, c.missing(manifestName, fmt.Sprintf("the image configuration %.100q", name))
	}
	config, err := c.config(old)
	if err != nil {
		return nil, err
	}
	item.Set("Config", rawjson.Encode(blobPath(config.digest)))
	return old, nil
}

// renameParent sets the new ID of an image's parent. A parent that is not in the
// archive is removed, as engines ignore it.
func renameParent(item *rawjson.Object, ids map[string]string) error {
	parent, err := rawjson.Decode[string](manifestName+" Parent", item.Value("Parent"))
	if err != nil {
		return err
	}
	if id := ids[parent]; id != "" {
		item.Set("Parent", rawjson.Encode(id))
	} else {
		item.Delete("Parent")
	}
	return nil
}

// name checks a name for an image. It returns the name to write, the full one and
// the short one that docker shows.
func (c *rewriter) name(where, text string) (full, familiar string, err error) {
	named, err := names.ParseNormalizedNamed(text)
	if err != nil {
		return "", "", rewrite.Refusef(where, 0, "%.100q is no image name: %v", text, err)
	}
	if _, digested := named.(names.Digested); digested {
		return "", "", rewrite.Refusef(where, 0, "%.100q names an image by its digest; give it a tag", text)
	}
	named = names.TagNameOnly(named)
	given := named.String()
	if familiar = c.names[given]; familiar != "" {
		return fullName(familiar), familiar, nil
	}
	if len(c.names) == maxNames {
		return "", "", rewrite.Refusef(where, 0, "the image archive gives more than %d names; load fewer images at once", maxNames)
	}
	familiar = names.FamiliarString(named)
	if c.opts.Tag != nil {
		if err := c.opts.Tag(familiar); err != nil {
			return "", "", err
		}
	}
	if c.opts.Rename != nil {
		familiar = c.opts.Rename(familiar)
	}
	c.names[given] = familiar
	return fullName(familiar), familiar, nil
}

// fullName returns the full form of a short name.
func fullName(familiar string) string {
	named, err := names.ParseNormalizedNamed(familiar)
	if err != nil {
		panic(err) // cannot happen: the short form of a name is a name
	}
	return named.String()
}

var digestForm = regexp.MustCompile(`^[a-z0-9]+:[0-9a-f]+$`)

// layerPaths returns the paths of a manifest's layers in the archive.
func (c *rewriter) layerPaths(where string, value jsontext.Value) ([]string, error) {
	list, err := rawjson.Decode[[]jsontext.Value](where+".layers", value)
	if err != nil {
		return nil, err
	}
	paths := make([]string, 0, len(list))
	for _, raw := range list {
		d, err := exactObject(where+".layers", raw, "digest")
		if err != nil {
			return nil, err
		}
		digest, err := rawjson.Decode[string](where+".layers.digest", d.Value("digest"))
		if err != nil {
			return nil, err
		}
		if !digestForm.MatchString(digest) {
			return nil, rewrite.Refusef("", 0, "%s: %.100q is no digest of a layer", where, digest)
		}
		if err := c.spend(len(digest)); err != nil {
			return nil, err
		}
		paths = append(paths, blobPath(digest))
	}
	return paths, nil
}
