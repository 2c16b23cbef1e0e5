package verdict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseBody reads the request's body as an object. No body and null are an empty
// object.
func (c *Case) ParseBody() (rawjson.Object, error) {
	body := jsontext.Value(strings.TrimSpace(string(c.Body)))
	if len(body) == 0 || string(body) == "null" {
		return rawjson.Object{}, nil
	}
	o, err := rawjson.ParseObject(body)
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

// Decode reads a member of a body into a T, strictly.
func Decode[T any](path string, value jsontext.Value) (T, error) {
	v, err := rawjson.Decode[T](path, value)
	return v, badBody(err)
}

// DecodeObject reads a member of a body as an object. null and an absent member
// are empty.
func DecodeObject(path string, value jsontext.Value) (rawjson.Object, error) {
	if value == nil {
		return rawjson.Object{}, nil
	}
	o, err := rawjson.DecodeObject(path, value)
	return o, badBody(err)
}

func badBody(err error) error {
	if err == nil {
		return nil
	}
	return Bad("body", "%v", err)
}

// maxAnswer bounds an answer that is held whole to be edited: a network with
// about 10,000 endpoints.
const maxAnswer = 4 << 20

// ReadObject reads an answer of the engine that is one object. What names the
// answer in errors.
func ReadObject(what string, src io.Reader) (rawjson.Object, error) {
	var text bytes.Buffer
	if n, err := io.Copy(&text, io.LimitReader(src, maxAnswer+1)); err != nil {
		return rawjson.Object{}, err
	} else if n > maxAnswer {
		return rawjson.Object{}, fmt.Errorf("%s: the answer is larger than %d bytes", what, maxAnswer)
	}
	o, err := rawjson.ParseObject(text.Bytes())
	if err != nil {
		return o, fmt.Errorf("%s: %w", what, err)
	}
	return o, nil
}
