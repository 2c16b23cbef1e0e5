package rawjson

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// NewDecoder returns a decoder of an engine's answer. It allows duplicate names.
func NewDecoder(r io.Reader) *jsontext.Decoder {
	return jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true))
}

// Members calls fn for every member of the object that d reads next. fn has to
// read the value from d. null has no members.
func Members(d *jsontext.Decoder, fn func(name string) error) error {
	return within(d, '{', func() error {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		return fn(name.String())
	})
}

// Elements calls fn for every element of the array that d reads next. item is
// valid until fn returns. null has no elements.
func Elements(d *jsontext.Decoder, fn func(item jsontext.Value) error) error {
	return within(d, '[', func() error {
		item, err := d.ReadValue()
		if err != nil {
			return err
		}
		return fn(item)
	})
}

func within(d *jsontext.Decoder, open jsontext.Kind, next func() error) error {
	start, err := d.ReadToken()
	if err != nil || start.Kind() == 'n' {
		return err
	}
	if start.Kind() != open {
		return fmt.Errorf("got %s, want %s", kindNames[start.Kind()], kindNames[open])
	}
	for end := open + 2; d.PeekKind() != end; { // in ASCII, ] is [ + 2 and } is { + 2
		if err := next(); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err
}
