package policy

import (
	"fmt"
	"slices"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// A Field is one member of a JSON body with sockguard's verdict on it.
type Field struct {
	Name string
	// Since and Until are the first and the last API version that read the
	// field; "" is before 1.25, or today.
	Since, Until string
	Verdict      FieldVerdict
	Why          string // why it is not simply allowed
	Grant        string // flag that opens it, "" when none does

	// check judges a value and returns what to send instead, nil for nothing.
	check func(d *draft, path string, value jsontext.Value) (jsontext.Value, error)
	// zero has check see null, false, 0, "", [] and {} as well.
	zero bool
}

// A FieldVerdict says in one word what happens to a field that is set.
type FieldVerdict string

// The verdicts on fields. A value of null, false, 0, "", [] or {} is the same as
// none to all of them, for clients send the fields that they do not mean.
const (
	Allowed FieldVerdict = "allowed"
	Checked FieldVerdict = "checked"
	Refused FieldVerdict = "refused"
	Dropped FieldVerdict = "dropped"
)

// A draft is a JSON body on its way through tables of fields, and what they
// have learned of it.
type draft struct {
	*call
	update    bool            // limits of a container that exists, not a new one
	netMode   string          // NetworkMode, as it goes to the engine
	network   Object          // the owner's network that NetworkMode names, if any
	netSysctl bool            // a Sysctl of the network is set
	overlay   bool            // Driver of a network, one of the swarm's
	mounted   map[string]bool // mount points that are taken, clean
	mounts    []mount         // HostConfig.Mounts
	volumes   []volumeBody    // named volumes to make first
}

// parse reads the request's body; none and null are an empty object.
func (c *call) parse() (rawjson.Object, error) {
	body := jsontext.Value(strings.TrimSpace(string(c.Body)))
	if len(body) == 0 || string(body) == "null" {
		return rawjson.Object{}, nil
	}
	o, err := rawjson.ParseObject(body)
	return o, badBody(err)
}

// decode reads a member into a T, strictly.
func decode[T any](path string, value jsontext.Value) (T, error) {
	v, err := rawjson.Decode[T](path, value)
	return v, badBody(err)
}

// decodeObject reads a member as an object; null and absent are empty.
func decodeObject(path string, value jsontext.Value) (rawjson.Object, error) {
	if value == nil {
		return rawjson.Object{}, nil
	}
	o, err := rawjson.DecodeObject(path, value)
	return o, badBody(err)
}

func badBody(err error) error {
	if err == nil {
		return nil
	}
	return bad("body", "%v", err)
}

// walk takes every member of o through the table. Unknown ones that are empty
// are left out; others are refused, for they may mean anything to an engine.
func (d *draft) walk(path string, table []Field, o *rawjson.Object) error {
	for name, value := range o.All() {
		full := strings.TrimPrefix(path+"."+name, ".")
		f := field(table, name)
		var err error
		switch {
		case f != nil:
			value, err = d.judge(f, full, value)
		case rawjson.Empty(value):
			value = nil
		default:
			err = d.unknown(table, full, name)
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

func (d *draft) judge(f *Field, path string, value jsontext.Value) (jsontext.Value, error) {
	empty := rawjson.Empty(value)
	switch {
	case f.Verdict == Dropped:
		return nil, nil
	case f.Verdict == Refused && !empty:
		return nil, f.deny(path)
	case f.check != nil && (!empty || f.zero):
		return f.check(d, path, value)
	}
	return value, nil
}

// unknown refuses a member that is in no table, unless the operator lets it
// through. One that an engine takes for a known member never passes.
func (d *draft) unknown(table []Field, path, name string) error {
	for _, f := range table {
		if strings.EqualFold(f.Name, name) {
			return bad("body", "%s: engines read it as %s; write %s", path, f.Name, f.Name)
		}
	}
	if slices.Contains(d.AllowKeys, path) {
		return nil
	}
	return bad("body", "%s: sockguard does not know this member; remove it, or ask the operator for --allow-key %s", path, path)
}

func (f *Field) deny(path string) error {
	return deny(path, "%s: %s; %s", path, f.Why, f.remedy())
}

func (f *Field) remedy() string {
	if f.Grant == "" {
		return "remove it"
	}
	return "remove it, or ask the operator for " + f.Grant
}

// denyField refuses a value of a field, or a part of one: what, why, and the
// flag that would open it.
func denyField(path, what, why, grant string) error {
	f := Field{Why: why, Grant: grant}
	return deny(path, "%s %s: %s; %s", path, what, f.Why, f.remedy())
}

func field(table []Field, name string) *Field {
	for i := range table {
		if table[i].Name == name {
			return &table[i]
		}
	}
	return nil
}

// quoted names a value in a message, cut to a readable length.
func quoted(s string) string {
	if len(s) > 100 {
		s = s[:100] + "..."
	}
	return fmt.Sprintf("%q", s)
}
