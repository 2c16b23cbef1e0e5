package verdict

import (
	"bytes"
	"encoding/json"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseBody reads the request's body as an object. No body and null are an empty
// object.
func (c *Case) ParseBody() (o rawjson.Object, err error) {
	if body := bytes.TrimSpace(c.Body); len(body) > 0 && string(body) != "null" {
		o, err = rawjson.ParseObject(body)
	}
	return o, badBody(err)
}

// DecodeBody decodes the JSON body strictly. No body and null leave into as it
// is.
func (c *Case) DecodeBody(into any) error {
	if c.Body == nil {
		return nil
	}
	if err := rawjson.DecodeStrict(c.Body, into); err != nil {
		return Bad("body", "request body: %v", err)
	}
	return nil
}

// EncodeBody makes v the body that goes upstream.
func (c *Case) EncodeBody(v any) (err error) {
	c.Out.Body, err = json.Marshal(v)
	return err
}

// Decode reads a member of a body into a T, strictly. null is the zero value.
func Decode[T any](path string, value jsontext.Value) (T, error) {
	v, err := rawjson.Decode[T](path, value)
	return v, badBody(err)
}

// DecodeObject reads a member of a body as an object. null is the empty one.
func DecodeObject(path string, value jsontext.Value) (rawjson.Object, error) {
	o, err := rawjson.DecodeObject(path, value)
	return o, badBody(err)
}

func badBody(err error) error {
	if err == nil {
		return nil
	}
	return Bad("body", "%v", err)
}
