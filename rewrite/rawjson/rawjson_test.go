package rawjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"sockguard/rewrite"
)

func TestParseObjectRefuses(t *testing.T) {
	vectors := []struct{ name, in, want string }{
		{"duplicate", `{"HostConfig":{},"HostConfig":{"Privileged":true}}`, "HostConfig: duplicate object member name"},
		{"deep duplicate", `{"HostConfig":{"Binds":[],"Binds":["/:/x"]}}`, `HostConfig.Binds: duplicate object member name`},
		{"duplicate by escape", `{"Image":"a","Im\u0061ge":"b"}`, "Image: duplicate object member name"},
		{"duplicate in a list", `{"Mounts":[{"Type":"tmpfs","Type":"bind"}]}`, `Mounts.0.Type: duplicate object member name`},
		{"trailing data", `{} {"Privileged":true}`, "data after the object at byte 3"},
		{"array", `[{}]`, "no JSON object but a list"},
		{"null", `null`, "no JSON object but null"},
		{"invalid UTF-8", "{\"Image\":\"\xff\"}", "Image: invalid UTF-8"},
		{"lone surrogate", `{"Image":"\ud800"}`, "Image: invalid surrogate pair"},
		{"cut short", `{"Image":"a"`, "unexpected EOF"},
		{"comment", `{/**/}`, "invalid character '/'"},
		{"empty", ``, "EOF"},
		{"byte order mark", "\ufeff{}", "invalid character"},
	}
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			_, err := ParseObject([]byte(v.in))
			if _, ok := err.(*rewrite.Refusal); !ok || !strings.Contains(err.Error(), v.want) {
				t.Errorf("got %v, want a refusal with %q", err, v.want)
			}
		})
	}
}

func TestObjectKeepsOrderAndNumbers(t *testing.T) {
	o, err := ParseObject([]byte(` {"b":9007199254740993, "a":1e400,"c":{"y":1,"x":2},"d":null} `))
	if err != nil {
		t.Fatal(err)
	}
	o.Set("a", jsontext.Value(`"A"`))
	o.Set("é\n", jsontext.Value(`[]`))
	o.Delete("d")
	o.Delete("none")
	want := `{"b":9007199254740993,"a":"A","c":{"y":1,"x":2},"é\n":[]}`
	if diff := cmp.Diff(want, string(o.Marshal())); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeIsStrict(t *testing.T) {
	type mount struct{ Type, Source string }
	vectors := []struct{ name, in, want string }{
		{"other case", `[{"type":"bind"}]`, "Mounts.0.type: unknown object member name"},
		{"folded letter", `[{"ſource":"/"}]`, "Mounts.0.ſource: unknown object member name"},
		{"unknown member", `[{"Type":"bind","Evil":1}]`, "Mounts.0.Evil: unknown object member name"},
		{"wrong type", `[{"Type":1}]`, "Mounts.0.Type: a number does not fit"},
	}
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			_, err := Decode[[]mount]("Mounts", jsontext.Value(v.in))
			if err == nil || !strings.Contains(err.Error(), v.want) {
				t.Errorf("got %v, want %q", err, v.want)
			}
		})
	}
	if got, err := Decode[[]mount]("Mounts", jsontext.Value(`null`)); got != nil || err != nil {
		t.Errorf("got %v and %v, want the zero value for null", got, err)
	}
}

func TestEmpty(t *testing.T) {
	for _, v := range []string{`null`, `false`, `0`, `-0`, `0.0`, `""`, `[]`, `[ ]`, `{}`, ` { } `} {
		if !Empty(jsontext.Value(v)) {
			t.Errorf("%s is not empty, want empty", v)
		}
	}
	for _, v := range []string{`true`, `1`, `-1`, `0.1`, `0e1`, `" "`, `[0]`, `{"a":0}`} {
		if Empty(jsontext.Value(v)) {
			t.Errorf("%s is empty, want not", v)
		}
	}
}

// What is accepted means the same to encoding/json, which engines use, and
// survives a round trip.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"A":[{}]}`, `{"a":"é\u0000"}`, `{"a":{"b":1,"b":2}}`, `{"a":-0.0e+1}`, `null`, `{"":""} `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseObject(data)
		if err != nil {
			return
		}
		var in, out any
		if !json.Valid(data) {
			t.Fatalf("%q is accepted, encoding/json finds it invalid", data)
		}
		errIn, errOut := json.Unmarshal(data, &in), json.Unmarshal(o.Marshal(), &out)
		if (errIn == nil) != (errOut == nil) || !reflect.DeepEqual(in, out) {
			t.Fatalf("%q means %v (%v) before and %v (%v) after", data, in, errIn, out, errOut)
		}
		again, err := ParseObject(o.Marshal())
		if err != nil || string(again.Marshal()) != string(o.Marshal()) {
			t.Fatalf("%q does not survive a round trip: %v", data, err)
		}
	})
}
