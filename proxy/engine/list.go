package engine

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// List calls each with every object of a kind that passes the filters. It holds one
// object at a time, whatever the length of the list.
func (c *Client) List(ctx context.Context, kind verdict.Kind, filters rawjson.Filters, each func(item []byte) error) error {
	query := url.Values{}
	if len(filters) > 0 {
		query.Set("filters", filters.Encode())
	}
	path := "/" + string(kind) + "s"
	if kind == verdict.Container || kind == verdict.Image {
		path += "/json"
		query.Set("all", "1")
	}
	resp, err := c.send(ctx, verdict.EngineCall{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return err
		}
		return &Error{resp.StatusCode, Message(body)}
	}
	return rawjson.Elements(rawjson.NewDecoder(resp.Body), func(item jsontext.Value) error { return each(item) })
}
