package verdict

import (
	"io"

	"sockguard/rewrite/rawjson"
)

// Filters decodes the filters of the request.
func (c *Case) Filters() (rawjson.Filters, error) {
	f, err := rawjson.ParseFilters(c.Query.Get("filters"))
	if err != nil {
		return nil, Bad("filters", "%v", err)
	}
	return f, nil
}

// SetFilters makes f the filters that go upstream.
func (c *Case) SetFilters(f rawjson.Filters) error {
	delete(c.Out.Query, "filters")
	if len(f) > 0 {
		c.Out.Query.Set("filters", f.Encode())
	}
	return nil
}

// AddOwner makes f, narrowed to the owner's objects, the filters that go
// upstream.
func (c *Case) AddOwner(f rawjson.Filters) error {
	f["label"] = append(f["label"], c.LabelKey+"="+c.Owner)
	return c.SetFilters(f)
}

// FilterByOwner narrows the request's filters to the owner's objects.
func (c *Case) FilterByOwner() error {
	f, err := c.Filters()
	if err != nil {
		return err
	}
	return c.AddOwner(f)
}

// PinFilters replaces the references of some filters by full IDs. Resolve is
// [Case.Own] or [Case.Use].
func PinFilters(f rawjson.Filters, resolve func(Kind, string) (Object, error), kind Kind, names ...string) error {
	for _, name := range names {
		for i, ref := range f[name] {
			o, err := resolve(kind, ref)
			if err != nil {
				return err
			}
			f[name][i] = o.ID
		}
	}
	return nil
}

// Keep filters the answer, a JSON array, element by element.
func (c *Case) Keep(wanted func(item []byte) (bool, error)) {
	c.Out.Response = func(dst io.Writer, src io.Reader) error {
		return rawjson.FilterArray(dst, src, rawjson.Keep(wanted))
	}
}

// EachOwn lists the owner's objects of a kind.
func (c *Case) EachOwn(kind Kind, each func(item []byte) error) error {
	return c.Inspector.List(c.Ctx, kind, rawjson.Filters{"label": {c.LabelKey + "=" + c.Owner}}, each)
}
