package rawjson

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
)

// An Object is a JSON object whose members keep their order and their raw text,
// numbers above 2^53 included. The zero value is {}.
type Object struct{ members []member }

type member struct {
	name  string
	value jsontext.Value
}

// ParseObject reads one JSON object, strictly: engines fold the case of names,
// merge duplicates and mend broken UTF-8, so duplicate names at any depth,
// invalid UTF-8 and trailing data are a *Refusal that names the place.
func ParseObject(data []byte) (Object, error) { return parseObject("", data) }

func parseObject(path string, data []byte) (Object, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if kind := d.PeekKind(); kind != '{' && kind != 0 {
		return Object{}, rewrite.Refusef("", 0, "%s: it is no JSON object but %s; send an object", at(path), kindName(kind))
	}
	if _, err := d.ReadToken(); err != nil {
		return Object{}, jsonRefusal(path, err)
	}
	var o Object
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return Object{}, jsonRefusal(path, err)
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return Object{}, jsonRefusal(path, err)
		}
		o.members = append(o.members, member{key, value.Clone()})
	}
	if _, err := d.ReadToken(); err != nil {
		return Object{}, jsonRefusal(path, err)
	}
	if rest := bytes.TrimLeft(data[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return Object{}, rewrite.Refusef("", 0, "%s: data after the object at byte %d; send one object", at(path), len(data)-len(rest))
	}
	return o, nil
}

// Len is the number of members.
func (o *Object) Len() int { return len(o.members) }

// Get returns the raw value of a member.
func (o *Object) Get(name string) (jsontext.Value, bool) {
	for i := range o.members {
		if o.members[i].name == name {
			return o.members[i].value, true
		}
	}
	return nil, false
}

// Value returns the raw value of a member, null when it is absent.
func (o *Object) Value(name string) jsontext.Value {
	if v, ok := o.Get(name); ok {
		return v
	}
	return jsontext.Value("null")
}

// Set replaces the value of a member where it stands, or adds it at the end.
func (o *Object) Set(name string, value jsontext.Value) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members[i].value = value
			return
		}
	}
	o.members = append(o.members, member{name, value})
}

// Delete removes a member, if it is there.
func (o *Object) Delete(name string) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members = append(o.members[:i:i], o.members[i+1:]...)
			return
		}
	}
}

// All yields the members in order, as they were when it began.
func (o *Object) All() iter.Seq2[string, jsontext.Value] {
	members := append([]member(nil), o.members...)
	return func(yield func(string, jsontext.Value) bool) {
		for _, m := range members {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

// Marshal returns the object as JSON, members in order.
func (o *Object) Marshal() jsontext.Value {
	b := []byte{'{'}
	for i, m := range o.members {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, m.name) // valid UTF-8, or it had not been parsed
		b = append(append(b, ':'), m.value...)
	}
	return append(b, '}')
}

// Decode reads the raw value of the member at path (which is for errors only)
// into a T. Names match to the letter, unknown ones are refused, null is the
// zero value.
func Decode[T any](path string, value jsontext.Value) (T, error) {
	var into T
	if err := DecodeStrict(value, &into); err != nil {
		return into, jsonRefusal(path, err)
	}
	return into, nil
}

// DecodeStrict decodes one JSON value into a Go value and refuses what engines
// read in ways of their own: duplicate names, names in another case, unknown
// members, invalid UTF-8, trailing data.
func DecodeStrict(data []byte, into any) error {
	return json.Unmarshal(data, into, json.RejectUnknownMembers(true))
}

// DecodeObject reads the raw value of the member at path as an object; null is
// the empty one.
func DecodeObject(path string, value jsontext.Value) (Object, error) {
	if value.Kind() == 'n' {
		return Object{}, nil
	}
	return parseObject(path, value)
}

// Encode returns v as JSON; maps are sorted by key. It panics for types that
// have no JSON form.
func Encode(v any) jsontext.Value {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return b
}

// Empty reports whether a raw value is null, false, zero, "", [] or {}: what
// clients send for a member they do not mean.
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

// jsonRefusal says where in the JSON an error stands, in Docker's own way of
// writing it: HostConfig.Mounts.0.Type.
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
			err = fmt.Errorf("%s does not fit a Go %s", kindName(s.JSONKind), s.GoType)
		}
	}
	for token := range pointer.Tokens() {
		path += "." + token
	}
	path = strings.TrimPrefix(path, ".")
	return rewrite.Refusef("", 0, "%s: %v at byte %d; send what the Docker Engine API documents", at(path), err, offset)
}

func at(path string) string {
	if path == "" {
		return "the JSON body"
	}
	return path
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "a list"
	case '{':
		return "an object"
	}
	return "a boolean"
}
