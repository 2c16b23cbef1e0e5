package rawjson

import (
	"github.com/go-json-experiment/json"
)

// DecodeStrict decodes one JSON value into a Go value and refuses what engines
// read in ways of their own: duplicate names, names in another case, unknown
// members, invalid UTF-8, trailing data.
func DecodeStrict(data []byte, into any) error {
	return json.Unmarshal(data, into, json.RejectUnknownMembers(true))
}
