package policy

import (
	"maps"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// ownLabels adds the owner label to the labels of a new object. A client that
// sets it to another owner is refused rather than overruled in silence.
func (c *call) ownLabels(path string, labels map[string]string) (map[string]string, error) {
	if v, ok := labels[c.LabelKey]; ok && v != c.Owner {
		return nil, deny("owner", "%s: label %s is %s, this socket belongs to %q; leave the label out", path, c.LabelKey, quoted(v), c.Owner)
	}
	labels = maps.Clone(labels)
	if labels == nil {
		labels = make(map[string]string, 1)
	}
	labels[c.LabelKey] = c.Owner
	return labels, nil
}

// checkLabels forces the owner label into the Labels of a body, present or not.
func (c *call) checkLabels(o *rawjson.Object) error {
	value, ok := o.Get("Labels")
	if !ok {
		value = jsontext.Value("null")
	}
	labels, err := decode[map[string]string]("Labels", value)
	if err != nil {
		return err
	}
	labels, err = c.ownLabels("Labels", labels)
	if err != nil {
		return err
	}
	o.Set("Labels", rawjson.Encode(labels))
	return nil
}
