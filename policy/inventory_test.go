package policy

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// List lists the objects that have the label of the filters, in the form of the
// engine's lists. An object with several names is listed once.
func (o objects) List(_ context.Context, kind verdict.Kind, filters rawjson.Filters, each func(item []byte) error) error {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(o[kind])) {
		object := o[kind][name]
		if seen[object.ID] || !labelled(object, filters["label"]) {
			continue
		}
		seen[object.ID] = true
		item, err := json.Marshal(map[string]any{
			"Id": object.ID, "Labels": object.Labels, "ImageID": object.Parent, "State": "running",
			"Spec": map[string]any{"Labels": object.Labels, "Mode": map[string]any{"Replicated": map[string]any{"Replicas": 2}}},
		})
		if err != nil {
			return err
		}
		if err := each(item); err != nil {
			return err
		}
	}
	return nil
}

func labelled(o verdict.Object, want []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool {
		key, value, _ := strings.Cut(w, "=")
		return o.Labels[key] != value
	})
}

// denialOf returns the message of a denial, "" for any other error.
func denialOf(err error) string {
	if d, ok := errors.AsType[*verdict.Denied](err); ok {
		return d.Message
	}
	return ""
}
