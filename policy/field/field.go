// Package field checks JSON bodies by tables, which have a [Field] for each member
// that engines know. A member that is not in its table is refused, and so is one
// whose name differs from a known one in case only, which engines accept.
//
// A check returns the value that goes to the engine in place of the client's.
package field

import (
	"strings"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// A Field is one member of a JSON object with sockguard's verdict on it. D is the
// type of the body that has the object.
type Field[D Draft] struct {
	Name string
	// Since and Until are the first and the last API version that has the field; ""
	// is 1.24 or older for Since, and the newest for Until.
	Since, Until string
	Verdict      Verdict
	Why          string // why it is not simply allowed
	Grant        string // flag that opens it, "" when none does

	// Check judges a value. It is set where the Verdict is Checked, unless By
	// says what checks the field.
	Check Check[D]
	// Zero means that null, false, 0, "", [] and {} are values to Check.
	Zero bool
	// By names the function that checks or sets the field once the whole body is
	// known. It does so even if the field is absent.
	By string
}

// A Check judges a member and returns what to send instead, nil for nothing. Path
// names the member in a refusal.
type Check[D Draft] func(d D, path string, value jsontext.Value) (jsontext.Value, error)

// A Draft is a JSON body that is being checked, with what its checks have to keep.
// A [verdict.Case] is a Draft, and so is what embeds one.
type Draft interface {
	// AllowsKey reports whether the operator lets an unknown member through.
	AllowsKey(path string) bool
	// ParseBody reads the body of the request.
	ParseBody() (rawjson.Object, error)
}

// A Verdict says in one word what happens to a field that is set.
type Verdict string

// The verdicts on fields. A value of null, false, 0, "", [] or {} counts as not
// set, because clients send the fields that they do not mean.
const (
	Allowed Verdict = "allowed"
	Checked Verdict = "checked"
	Refused Verdict = "refused"
	Dropped Verdict = "dropped"
)

// A Table holds the members of one kind of JSON object.
type Table[D Draft] []Field[D]

// Find returns the field of that name, nil if there is none.
func (t Table[D]) Find(name string) *Field[D] {
	for i := range t {
		if t[i].Name == name {
			return &t[i]
		}
	}
	return nil
}

// Body walks the table over the body of the request.
func (t Table[D]) Body(d D) (rawjson.Object, error) {
	o, err := d.ParseBody()
	if err == nil {
		err = t.Walk(d, "", &o)
	}
	return o, err
}

// Object walks the table over a member that is an object.
func (t Table[D]) Object(d D, path string, value jsontext.Value) (rawjson.Object, error) {
	o, err := verdict.DecodeObject(path, value)
	if err == nil {
		err = t.Walk(d, path, &o)
	}
	return o, err
}

// Walk checks every member of o and edits it in place. Path is where o stands in
// the body. Unknown members are refused, or removed if they are empty.
func (t Table[D]) Walk(d D, path string, o *rawjson.Object) error {
	for name, value := range o.All() {
		full := strings.TrimPrefix(path+"."+name, ".")
		f := t.Find(name)
		var err error
		switch {
		case f != nil:
			value, err = f.judge(d, full, value)
		case rawjson.Empty(value):
			value = nil
		default:
			err = t.unknown(d, full, name)
		}
		if err != nil {
			return err
		}
		if value == nil {
			o.Delete(name)
		} else {
			o.Set(name, value)
		}
	}
	return nil
}

// unknown refuses a member that is not in the table, unless the operator allows
// it. A known name in another case is always refused.
func (t Table[D]) unknown(d D, path, name string) error {
	for _, f := range t {
		if strings.EqualFold(f.Name, name) {
			return verdict.Bad("body", "%s: engines read it as %s; write %s", path, f.Name, f.Name)
		}
	}
	if d.AllowsKey(path) {
		return nil
	}
	return verdict.Bad("body", "%s: sockguard does not know this member; remove it, or ask the operator for --allow-key %s", path, path)
}

func (f *Field[D]) judge(d D, path string, value jsontext.Value) (jsontext.Value, error) {
	empty := rawjson.Empty(value)
	switch {
	case f.Verdict == Dropped:
		return nil, nil
	case f.Verdict == Refused && !empty:
		return nil, verdict.Deny(path, "%s: %s; %s", path, f.Why, remedy(f.Grant))
	case f.Check != nil && (!empty || f.Zero):
		return f.Check(d, path, value)
	}
	return value, nil
}

// Read makes a Check of a function that looks at a member of type T. The member
// goes to the engine as it came.
func Read[T any, D Draft](fn func(d D, path string, value T) error) Check[D] {
	return func(d D, path string, v jsontext.Value) (jsontext.Value, error) {
		value, err := verdict.Decode[T](path, v)
		if err != nil {
			return nil, err
		}
		return v, fn(d, path, value)
	}
}

// Edit makes a Check of a function that edits a member of type T.
func Edit[T any, D Draft](fn func(d D, path string, value T) (T, error)) Check[D] {
	return func(d D, path string, v jsontext.Value) (jsontext.Value, error) {
		value, err := verdict.Decode[T](path, v)
		if err == nil {
			value, err = fn(d, path, value)
		}
		return rawjson.Encode(value), err
	}
}

// Nested is the check of a member that is an object with a table of its own.
func Nested[D Draft](t Table[D]) Check[D] {
	return func(d D, path string, v jsontext.Value) (jsontext.Value, error) {
		o, err := t.Object(d, path, v)
		return o.Marshal(), err
	}
}

// Shape is the check of a member of type T that may have any value.
func Shape[T any, D Draft](_ D, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := verdict.Decode[T](path, v)
	return v, err
}

// Int returns a member that Shape has checked to be a number, 0 if it is absent.
func Int(o *rawjson.Object, name string) int64 {
	n, _ := rawjson.Decode[int64](name, o.Value(name))
	return n
}

// Deny refuses a value, or a part of one. What is the value, and grant the
// operator's flag that allows it, if there is one.
func Deny(path, what, why, grant string) error {
	return verdict.Deny(path, "%s %s: %s; %s", path, what, why, remedy(grant))
}

func remedy(grant string) string {
	if grant == "" {
		return "remove it"
	}
	return "remove it, or ask the operator for " + grant
}
