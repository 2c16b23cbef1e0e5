// Package rawjson reads and writes JSON the way a guard has to: what it does not
// look into keeps its text, and what engines could read differently is refused.
//
// [ParseObject], [Decode] and [DecodeStrict] are for what a client sends. Engines
// ignore the case of names, take the last of duplicate members and mend broken
// UTF-8; these functions refuse such input with a [rewrite.Refusal] that names the
// member. [FilterArray], [FilterStream], [Members] and [Elements] are for what an
// engine answers. They hold one element at a time and take duplicates as they are.
package rawjson

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
)

// An Object is a JSON object. Its members keep their order and their text, so
// numbers above 2^53 keep their value. The zero value is {}.
type Object struct{ members []member }

type member struct {
	name  string
	value jsontext.Value
}

// ParseObject reads one JSON object. Duplicate names at any depth, invalid UTF-8
// and data after the object are refused.
func ParseObject(data []byte) (Object, error) { return parseObject("", data) }

func parseObject(path string, data []byte) (Object, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if kind := d.PeekKind(); kind != '{' && kind != 0 {
		return Object{}, rewrite.Refusef("", 0, "%s: it is no JSON object but %s; send an object", at(path), kindNames[kind])
	}
	var o Object
	err := Members(d, func(name string) error {
		value, err := d.ReadValue()
		o.members = append(o.members, member{name, value.Clone()})
		return err
	})
	if err != nil {
		return Object{}, jsonRefusal(path, err)
	}
	if rest := bytes.TrimLeft(data[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return Object{}, rewrite.Refusef("", 0, "%s: data after the object at byte %d; send one object", at(path), len(data)-len(rest))
	}
	return o, nil
}

// Len returns the number of members.
func (o *Object) Len() int { return len(o.members) }

// Get returns the raw value of a member.
func (o *Object) Get(name string) (jsontext.Value, bool) {
	if i := o.index(name); i >= 0 {
		return o.members[i].value, true
	}
	return nil, false
}

func (o *Object) index(name string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

// Value returns the raw value of a member, null when it is absent.
func (o *Object) Value(name string) jsontext.Value {
	if v, ok := o.Get(name); ok {
		return v
	}
	return jsontext.Value("null")
}

// Set replaces the value of a member in place, or adds a member at the end.
func (o *Object) Set(name string, value jsontext.Value) {
	if i := o.index(name); i >= 0 {
		o.members[i].value = value
		return
	}
	o.members = append(o.members, member{name, value})
}

// Delete removes a member, if it is there.
func (o *Object) Delete(name string) {
	if i := o.index(name); i >= 0 {
		o.members = slices.Concat(o.members[:i], o.members[i+1:])
	}
}

// All yields the members in order. Changes during the iteration do not affect it.
func (o *Object) All() iter.Seq2[string, jsontext.Value] {
	members := slices.Clone(o.members)
	return func(yield func(string, jsontext.Value) bool) {
		for _, m := range members {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

// Marshal returns the object as JSON.
func (o *Object) Marshal() jsontext.Value {
	b := []byte{'{'}
	for i, m := range o.members {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, m.name) // an error means invalid UTF-8, which ParseObject refuses
		b = append(append(b, ':'), m.value...)
	}
	return append(b, '}')
}

// Decode reads a raw value into a T, as [DecodeStrict] does. path names the value
// in errors. null is the zero value.
func Decode[T any](path string, value jsontext.Value) (T, error) {
	var into T
	if err := DecodeStrict(value, &into); err != nil {
		return into, jsonRefusal(path, err)
	}
	return into, nil
}

// DecodeStrict decodes one JSON value. Duplicate names, names in another case,
// unknown members, invalid UTF-8 and trailing data are errors.
func DecodeStrict(data []byte, into any) error {
	return json.Unmarshal(data, into, json.RejectUnknownMembers(true))
}

// DecodeObject reads a raw value as an object. path names the value in errors.
// null is the empty object.
func DecodeObject(path string, value jsontext.Value) (Object, error) {
	if value.Kind() == 'n' {
		return Object{}, nil
	}
	return parseObject(path, value)
}

// Encode returns v as JSON, maps sorted by key. It panics if v has no JSON form.
func Encode(v any) jsontext.Value {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return b
}

// Empty reports whether a raw value is null, false, zero, "", [] or {}. Clients
// send these for members that they do not set.
func Empty(value jsontext.Value) bool {
	switch v := bytes.TrimSpace(value); v[0] {
	case 'n', 'f':
		return true
	case '"':
		return len(v) == 2
	case '[', '{':
		return len(bytes.TrimSpace(v[1:len(v)-1])) == 0
	case 't':
		return false
	default:
		return strings.Trim(string(v), "-0.") == ""
	}
}

// jsonRefusal names the place of an error in the way of Docker's own messages:
// HostConfig.Mounts.0.Type.
func jsonRefusal(path string, err error) error {
	var pointer jsontext.Pointer
	var offset int64
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer, offset, err = s.JSONPointer, s.ByteOffset, s.Err
	}
	if s, ok := errors.AsType[*json.SemanticError](err); ok {
		pointer, offset = s.JSONPointer, s.ByteOffset
		if s.Err != nil {
			err = s.Err
		} else {
			err = fmt.Errorf("%s does not fit a Go %s", kindNames[s.JSONKind], s.GoType)
		}
	}
	for token := range pointer.Tokens() {
		path += "." + token
	}
	path = strings.TrimPrefix(path, ".")
	return rewrite.Refusef("", 0, "%s: %v at byte %d; send what the Docker Engine API documents", at(path), err, offset)
}

// at names the value at path, "" for the whole input.
func at(path string) string { return cmp.Or(path, "the JSON body") }

// kindNames are the kinds of values, in messages.
var kindNames = map[jsontext.Kind]string{
	'n': "null", 't': "a boolean", 'f': "a boolean", '"': "a string", '0': "a number", '[': "a list", '{': "an object",
}
