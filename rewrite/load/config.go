package load

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
	"sockguard/rewrite/rawjson"
)

// config returns the labelled configuration of an image. It is added to the archive
// even if it is the old one: its path must lead to this text and nothing else.
func (c *rewriter) config(old *blob) (*blob, error) {
	if b := c.configs[old]; b != nil {
		return b, nil
	}
	text, err := labelled(old, c.opts.Labels)
	if err != nil {
		return nil, err
	}
	b, err := c.add(text)
	c.configs[old] = b
	return b, err
}

// add adds a blob to those that are written at the end.
func (c *rewriter) add(text []byte) (*blob, error) {
	b := newBlob(text)
	if made := c.made[b.digest]; made != nil {
		return made, nil
	}
	c.made[b.digest] = b
	c.added = append(c.added, textFile{blobPath(b.digest), text})
	return b, c.spend(len(text) + keptOverhead)
}

// spend counts bytes that are written anew and refuses too many.
func (c *rewriter) spend(n int) error {
	if c.toMake -= int64(n); c.toMake < 0 {
		return rewrite.Refusef("", 0, "the labelled manifests and configurations of the image archive are more than %d MiB; load fewer images at once", maxMadeJSON>>20)
	}
	return c.Need(n)
}

// labelled returns the configuration of an image with labels set. The text of
// everything else stays.
func labelled(old *blob, set []rewrite.Label) ([]byte, error) {
	where := "image configuration " + old.digest
	image, err := exactObject(where, old.text, "config")
	if err != nil {
		return nil, err
	}
	config, err := exactObject(where+".config", image.Value("config"), "Labels")
	if err != nil {
		return nil, err
	}
	labels, err := exactObject(where+".config.Labels", config.Value("Labels"))
	if err != nil {
		return nil, err
	}
	changed := false
	for _, l := range set {
		value, ok := labels.Get(l.Key)
		if !ok || !isString(value, l.Value) {
			labels.Set(l.Key, rawjson.Encode(l.Value))
			changed = true
		}
	}
	if !changed {
		return old.text, nil
	}
	config.Set("Labels", labels.Marshal())
	image.Set("config", config.Marshal())
	return image.Marshal(), nil
}

func isString(value jsontext.Value, want string) bool {
	s, err := rawjson.Decode[string]("", value)
	return err == nil && value.Kind() == '"' && s == want
}

// exactObject parses an object; null is the empty one. It refuses members that
// differ from one of names in case only, as engines take them for that member.
func exactObject(where string, text jsontext.Value, names ...string) (rawjson.Object, error) {
	o, err := rawjson.DecodeObject(where, text)
	if err != nil {
		return o, err
	}
	for have := range o.All() {
		for _, name := range names {
			if have != name && strings.EqualFold(have, name) {
				return o, rewrite.Refusef("", 0, "%s.%s: engines read it as %s; write %s", where, have, name, name)
			}
		}
	}
	return o, nil
}
