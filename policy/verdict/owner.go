package verdict

import (
	"fmt"
	"maps"

	"sockguard/rewrite/rawjson"
)

// Usable reports whether an object may be used and read: it is the owner's, or
// nobody's and shared by all (an unlabelled image, a built-in network).
func (p *Policy) Usable(kind Kind, o Object) bool {
	return p.Owns(o.Labels) || p.Shared(kind, o)
}

// Owns reports whether labels carry the owner label of this guard.
func (p *Policy) Owns(labels map[string]string) bool {
	v, ok := labels[p.LabelKey]
	return ok && v == p.Owner
}

// Shared reports whether an object has no owner and may be used by everybody.
func (p *Policy) Shared(kind Kind, o Object) bool {
	if _, labelled := o.Labels[p.LabelKey]; labelled {
		return false
	}
	return kind == Image || kind == Network && BuiltinNetwork(o.Name)
}

// Foreign describes an object that is not the owner's, for the operator's log.
func (p *Policy) Foreign(kind Kind, ref string, o Object) string {
	if owner, ok := o.Labels[p.LabelKey]; ok {
		return fmt.Sprintf("%s %s belongs to %q, not to %q", kind, ref, owner, p.Owner)
	}
	return fmt.Sprintf("%s %s has no owner label", kind, ref)
}

// OwnLabels adds the owner label to the labels of a new object. It refuses labels
// of another owner. Path names the labels in the refusal.
func (p *Policy) OwnLabels(path string, labels map[string]string) (map[string]string, error) {
	if v, ok := labels[p.LabelKey]; ok && v != p.Owner {
		return nil, Deny("owner", "%s: label %s is %s, this socket belongs to %q; leave the label out", path, p.LabelKey, Quoted(v), p.Owner)
	}
	own := map[string]string{p.LabelKey: p.Owner}
	maps.Copy(own, labels)
	return own, nil
}

// ForceLabels puts the owner label into the Labels of a body, whether the member
// is there or not.
func (p *Policy) ForceLabels(o *rawjson.Object) error {
	labels, err := Decode[map[string]string]("Labels", o.Value("Labels"))
	if err != nil {
		return err
	}
	labels, err = p.OwnLabels("Labels", labels)
	o.Set("Labels", rawjson.Encode(labels))
	return err
}

// SendLabelled makes o, with the owner label, the body that goes upstream.
func (c *Case) SendLabelled(o *rawjson.Object) error {
	err := c.ForceLabels(o)
	c.Out.Body = o.Marshal()
	return err
}
