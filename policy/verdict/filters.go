package verdict

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"sockguard/rewrite/rawjson"
)

// EditFilters edits the filters of the request.
func (c *Case) EditFilters(edit func(f rawjson.Filters) error) error {
	f, err := rawjson.ParseFilters(c.Out.Query.Get("filters"))
	if err != nil {
		return Bad("filters", "%v", err)
	}
	if err := checkPatterns(f); err != nil {
		return err
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

// maxPattern bounds the value of a filter that engines read as a regular expression.
const maxPattern = 512

// checkPatterns permits regular expressions that stay as small as they are written: an
// engine compiles those of a filter anew for each object. Labels are compared.
func checkPatterns(f rawjson.Filters) error {
	for name, values := range f {
		for _, value := range values {
			if !strings.Contains(name, "label") && (len(value) > maxPattern || strings.Contains(value, "{")) {
				return Bad("filters", "filter %s=%s: engines read it as a regular expression; write one of up to %d characters without {", Quoted(name), Quoted(value), maxPattern)
			}
		}
	}
	return nil
}

// CheckFilters refuses filters that cannot be decoded.
func (c *Case) CheckFilters() error {
	return c.EditFilters(func(rawjson.Filters) error { return nil })
}

// FilterByOwner narrows the request's filters to the owner's objects.
func (c *Case) FilterByOwner() error {
	c.Out.Finite = true
	return c.EditFilters(func(f rawjson.Filters) error {
		f["label"] = append(f["label"], c.LabelKey+"="+c.Owner)
		return nil
	})
}

// PinFilters replaces the references in the filters named by full IDs. Find is
// [Case.Own] or [Case.Use].
func (c *Case) PinFilters(find func(Kind, string) (Object, error), kind Kind, names ...string) error {
	return c.EditFilters(func(f rawjson.Filters) error {
		for _, name := range names {
			if err := CheckList("filter "+name, len(f[name])); err != nil {
				return err
			}
			for i, ref := range f[name] {
				o, err := find(kind, ref)
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

// EditList edits the answer, a JSON array, element by element.
func (c *Case) EditList(edit rawjson.Edit) {
	c.Out.Finite = true
	c.Out.Response = func(dst io.Writer, src io.Reader) error { return rawjson.FilterArray(dst, src, edit) }
}

// Keep leaves the elements of the answer, a JSON array, that are wanted.
func (c *Case) Keep(wanted func(item []byte) (bool, error)) { c.EditList(rawjson.Keep(wanted)) }

// maxAnswer bounds an answer that is held whole to be edited: a network with
// about 10,000 endpoints.
const maxAnswer = 4 << 20

// EditObject edits the answer, one JSON object. What names it in errors.
func (c *Case) EditObject(what string, edit func(o *rawjson.Object) error) {
	c.Out.Finite = true
	c.Out.Response = func(dst io.Writer, src io.Reader) error {
		var text bytes.Buffer
		if n, err := io.Copy(&text, io.LimitReader(src, maxAnswer+1)); err != nil {
			return err
		} else if n > maxAnswer {
			return fmt.Errorf("%s: the answer is larger than %d bytes", what, maxAnswer)
		}
		o, err := rawjson.ParseObject(text.Bytes())
		if err == nil {
			err = edit(&o)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		_, err = dst.Write(o.Marshal())
		return err
	}
}
