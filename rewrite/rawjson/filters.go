package rawjson

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"

	"sockguard/rewrite"
)

// Filters are the filters= parameter of list, prune and event requests: values by
// filter name.
type Filters map[string][]string

// ParseFilters reads both forms that engines accept: {"label":["a=b"]} and
// {"label":{"a=b":true}}. Empty text means no filters. The value false is refused,
// as engines do not treat it the same everywhere.
func ParseFilters(text string) (Filters, error) {
	f := make(Filters)
	if text == "" || text == "null" {
		return f, nil
	}
	if err := json.Unmarshal([]byte(text), &f); err == nil {
		return f, nil
	}
	var sets map[string]map[string]bool
	if err := json.Unmarshal([]byte(text), &sets); err != nil {
		return nil, rewrite.Refusef("", 0, `filters %q: neither {"name":["value"]} nor {"name":{"value":true}}`, text)
	}
	f = make(Filters)
	for name, set := range sets {
		for _, value := range slices.Sorted(maps.Keys(set)) {
			if !set[value] {
				return nil, rewrite.Refusef("", 0, "filter %s=%s: the value false has no meaning; leave the filter out", name, value)
			}
			f[name] = append(f[name], value)
		}
	}
	return f, nil
}

// Encode returns the list form, sorted by filter name.
func (f Filters) Encode() string { return string(Encode(f)) }
