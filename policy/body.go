package policy

import (
	"encoding/json"

	"sockguard/rewrite/rawjson"
)

// decodeBody decodes the JSON body strictly. No body, and null, leave into as
// it is.
func (c *call) decodeBody(into any) error {
	if c.Body == nil {
		return nil
	}
	if err := rawjson.DecodeStrict(c.Body, into); err != nil {
		return bad("body", "request body: %v", err)
	}
	return nil
}

// encodeBody makes v the body that goes upstream.
func (c *call) encodeBody(v any) (err error) {
	c.out.Body, err = json.Marshal(v)
	return err
}
