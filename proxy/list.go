package proxy

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"sockguard/policy"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// List asks the engine for all objects of a kind that pass the filters, and
// hands them over one by one: lists may be longer than memory is to grow.
func (e *engine) List(ctx context.Context, kind policy.Kind, filters rawjson.Filters, each func(item []byte) error) error {
	query := url.Values{}
	if len(filters) > 0 {
		query.Set("filters", filters.Encode())
	}
	path := "/" + string(kind) + "s"
	if kind == policy.Container || kind == policy.Image {
		path += "/json"
		query.Set("all", "1")
	}
	resp, err := e.send(ctx, policy.Call{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return err
		}
		return &engineError{resp.StatusCode, errorMessage(body)}
	}
	return rawjson.Elements(rawjson.NewDecoder(resp.Body), func(item jsontext.Value) error { return each(item) })
}
