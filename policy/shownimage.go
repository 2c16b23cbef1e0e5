package policy

import (
	"bytes"
	"encoding/json"
	"io"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// seesImage reports whether an image of a list is the owner's or nobody's.
func (c *call) seesImage(item []byte) (bool, error) {
	var image struct{ Labels map[string]string }
	err := json.Unmarshal(item, &image)
	owner, labelled := image.Labels[c.LabelKey]
	return !labelled || owner == c.Owner, err
}

// showImage returns an image of a list as the owner may see it, nil for one that
// is somebody else's. Who uses an image that all share is nobody's business:
// the numbers of containers and of bytes shared with other images are given as
// not computed (-1), and the containers of a platform's image are the owner's.
//
// Tags stay, all of them. A tag on an image without an owner has no owner
// either: whoever tags a shared image shares the name.
func (c *call) showImage(item jsontext.Value) (jsontext.Value, error) {
	if seen, err := c.seesImage(item); !seen || err != nil {
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
	err = c.showManifests(&image)
	return image.Marshal(), err
}

// showManifests leaves the owner's containers in the Manifests of an image
// (API 1.47 and newer).
func (c *call) showManifests(image *rawjson.Object) error {
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
				return rawjson.Encode(c.ownOf(ids)), err
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

// inspectImage copies an image with its manifests.
func (c *call) inspectImage(dst io.Writer, src io.Reader) error {
	image, err := readObject("image inspect", src)
	if err != nil {
		return err
	}
	if err := c.showManifests(&image); err != nil {
		return err
	}
	_, err = dst.Write(image.Marshal())
	return err
}

// ownOf returns those of the containers that are the owner's.
func (c *call) ownOf(ids []string) []string {
	own := []string{}
	for _, id := range ids {
		if _, err := c.own(Container, id); err == nil {
			own = append(own, id)
		}
	}
	return own
}
