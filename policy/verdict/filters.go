package verdict

import "sockguard/rewrite/rawjson"

// EditFilters decodes the filters of the request, edits them, and sends them on
// in the form of lists.
func (c *Case) EditFilters(edit func(f rawjson.Filters) error) error {
	f, err := rawjson.ParseFilters(c.Out.Query.Get("filters"))
	if err != nil {
		return Bad("filters", "%v", err)
	}
	if err := edit(f); err != nil {
		return err
	}
	c.Out.Query.Del("filters")
	if len(f) > 0 {
		c.Out.Query.Set("filters", f.Encode())
	}
	return nil
}

// CheckFilters refuses filters that cannot be decoded.
func (c *Case) CheckFilters() error {
	return c.EditFilters(func(rawjson.Filters) error { return nil })
}

// FilterByOwner narrows the request's filters to the owner's objects.
func (c *Case) FilterByOwner() error {
	return c.EditFilters(func(f rawjson.Filters) error {
		f["label"] = append(f["label"], c.LabelKey+"="+c.Owner)
		return nil
	})
}

// PinFilters replaces the references in the filters of these names by full IDs.
// Resolve is [Case.Own] or [Case.Use].
func (c *Case) PinFilters(resolve func(Kind, string) (Object, error), kind Kind, names ...string) error {
	return c.EditFilters(func(f rawjson.Filters) error {
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
	})
}

// EachOwn lists the owner's objects of a kind.
func (c *Case) EachOwn(kind Kind, each func(item []byte) error) error {
	return c.Inspector.List(c.Ctx, kind, rawjson.Filters{"label": {c.LabelKey + "=" + c.Owner}}, each)
}
