package rawjson

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
)

// Filters are the filters= parameter of list, prune and event requests: the
// values asked for, by filter name.
type Filters map[string][]string

// ParseFilters reads both shapes that engines accept: {"label":["a=b"]} and
// {"label":{"a=b":true}}. Empty text is no filter. A value of false, on which
// engines disagree with themselves, is refused.
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
func (f Filters) Encode() string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	b := append(make([]byte, 0, 128), '{')
	for _, name := range names {
		b = append(appendString(b, name), ':', '[')
		for _, value := range f[name] {
			b = append(appendString(b, value), ',')
		}
		b = append(bytes.TrimSuffix(b, []byte{','}), ']', ',')
	}
	return string(append(bytes.TrimSuffix(b, []byte{','}), '}'))
}

func appendString(b []byte, s string) []byte {
	b, err := jsontext.AppendQuote(b, s)
	if err != nil {
		panic(fmt.Sprintf("filters cannot be encoded: %v", err)) // they were read from JSON
	}
	return b
}
