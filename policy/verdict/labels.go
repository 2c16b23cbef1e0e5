package verdict

import (
	"maps"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// OwnLabels adds the owner label to the labels of a new object. Labels that give
// it to another owner are refused rather than overruled in silence. Path names
// the labels in the refusal.
func (p *Policy) OwnLabels(path string, labels map[string]string) (map[string]string, error) {
	if v, ok := labels[p.LabelKey]; ok && v != p.Owner {
		return nil, Deny("owner", "%s: label %s is %s, this socket belongs to %q; leave the label out", path, p.LabelKey, Quoted(v), p.Owner)
	}
	labels = maps.Clone(labels)
	if labels == nil {
		labels = make(map[string]string, 1)
	}
	labels[p.LabelKey] = p.Owner
	return labels, nil
}

// ForceLabels puts the owner label into the Labels of a body, whether the member
// is there or not.
func (p *Policy) ForceLabels(o *rawjson.Object) error {
	value, ok := o.Get("Labels")
	if !ok {
		value = jsontext.Value("null")
	}
	labels, err := Decode[map[string]string]("Labels", value)
	if err != nil {
		return err
	}
	labels, err = p.OwnLabels("Labels", labels)
	if err != nil {
		return err
	}
	o.Set("Labels", rawjson.Encode(labels))
	return nil
}
