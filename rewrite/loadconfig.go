package rewrite

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// config returns the configuration of an image with the labels set. The archive
// gets it anew even when nothing changes, so that no other entry stands for it.
func (c *loadCopy) config(old *blob) (*blob, error) {
	if b := c.configs[old]; b != nil {
		return b, nil
	}
	text, err := labelled(old, c.opts.Labels)
	if err != nil {
		return nil, err
	}
	b := c.add(text)
	c.configs[old] = b
	return b, nil
}

// add has the archive get a blob.
func (c *loadCopy) add(text []byte) *blob {
	b := newBlob(text)
	if made := c.isMade[b.digest]; made != nil {
		return made
	}
	if c.isMade == nil {
		c.isMade = map[string]*blob{}
	}
	c.isMade[b.digest] = b
	c.made = append(c.made, b)
	return b
}

// labelled sets labels in the configuration of an image and leaves everything
// else, to the letter.
func labelled(old *blob, set []Label) ([]byte, error) {
	where := "image configuration " + old.digest
	image, err := exactObject(where, old.text, "config")
	if err != nil {
		return nil, err
	}
	config, err := exactObject(where+".config", image.value("config"), "Labels")
	if err != nil {
		return nil, err
	}
	labels, err := exactObject(where+".config.Labels", config.value("Labels"))
	if err != nil {
		return nil, err
	}
	changed := false
	for _, l := range set {
		value, ok := labels.Get(l.Key)
		if !ok || !isString(value, l.Value) {
			labels.Set(l.Key, Encode(l.Value))
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
	s, err := Decode[string]("", value)
	return err == nil && value.Kind() == '"' && s == want
}

// exactObject parses an object, null being the empty one, in which no member
// has one of the names in another case: engines take it for that member.
func exactObject(where string, text jsontext.Value, names ...string) (Object, error) {
	o, err := DecodeObject(where, text)
	if err != nil {
		return o, err
	}
	for have := range o.All() {
		for _, name := range names {
			if have != name && strings.EqualFold(have, name) {
				return o, refusef("", 0, "%s.%s: engines read it as %s; write %s", where, have, name, name)
			}
		}
	}
	return o, nil
}

// value is the raw value of a member, null when it is absent.
func (o *Object) value(name string) jsontext.Value {
	if v, ok := o.Get(name); ok {
		return v
	}
	return jsontext.Value("null")
}
