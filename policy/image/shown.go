package image

import (
	"bytes"
	"encoding/json"
	"errors"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// Visible reports whether an image of a list is the owner's or nobody's.
func Visible(c *verdict.Case, item []byte) (bool, error) {
	var image struct {
		ID     string `json:"Id"`
		Labels map[string]string
	}
	if err := json.Unmarshal(item, &image); err != nil {
		return false, err
	}
	labels, err := c.Inspector.ImageLabels(c.Ctx, image.ID, image.Labels)
	if errors.Is(err, verdict.ErrNotFound) {
		return false, nil
	}
	return c.Usable(verdict.Image, verdict.Object{Labels: labels}), err
}

// Show returns an image of a list as the owner may see it, nil for another
// owner's. It hides who else uses a shared image: Containers and SharedSize are
// -1, which means not computed, and Manifests name the owner's containers only.
func Show(c *verdict.Case, item jsontext.Value) (jsontext.Value, error) {
	if seen, err := Visible(c, item); !seen || err != nil {
		return nil, err
	}
	image, err := rawjson.ParseObject(item)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Containers", "SharedSize"} {
		if _, ok := image.Get(name); ok {
			image.Set(name, jsontext.Value("-1"))
		}
	}
	err = showManifests(c, &image)
	return image.Marshal(), err
}

// showManifests removes other owners' containers from the Manifests of an image
// (API 1.47 and newer).
func showManifests(c *verdict.Case, image *rawjson.Object) error {
	value, ok := image.Get("Manifests")
	if !ok || rawjson.Empty(value) {
		return nil
	}
	shown := []jsontext.Value{}
	err := rawjson.Elements(rawjson.NewDecoder(bytes.NewReader(value)), func(m jsontext.Value) error {
		m, err := edit(m, "ImageData", func(data jsontext.Value) (jsontext.Value, error) {
			return edit(data, "Containers", func(used jsontext.Value) (jsontext.Value, error) {
				var ids []string
				err := json.Unmarshal(used, &ids)
				return rawjson.Encode(ownOf(c, ids)), err
			})
		})
		shown = append(shown, m)
		return err
	})
	image.Set("Manifests", rawjson.Encode(shown))
	return err
}

// edit changes one member of an object, if it is there and not empty.
func edit(object jsontext.Value, name string, fn func(jsontext.Value) (jsontext.Value, error)) (jsontext.Value, error) {
	o, err := rawjson.ParseObject(object)
	if err != nil {
		return nil, err
	}
	value, ok := o.Get(name)
	if !ok || rawjson.Empty(value) {
		return o.Marshal(), nil
	}
	if value, err = fn(value); err == nil {
		o.Set(name, value)
	}
	return o.Marshal(), err
}

// ownOf returns the containers that are the owner's.
func ownOf(c *verdict.Case, ids []string) []string {
	own := []string{}
	for _, id := range ids {
		if _, err := c.Own(verdict.Container, id); err == nil {
			own = append(own, id)
		}
	}
	return own
}
