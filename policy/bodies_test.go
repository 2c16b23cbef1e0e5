package policy

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/field/fieldtest"
	"sockguard/policy/verdict"
)

// The bodies were recorded from real clients: the docker CLI 28.2 and 20.10,
// Compose 1.29 and 2.40, docker-py 5, testcontainers-go 0.45. The body of
// docker-java is written after its source.
func TestBodiesOfRealClients(t *testing.T) {
	create := "/v1.41/containers/create"
	vectors := []struct{ name, target string }{
		{"cli28-run", create},
		{"cli28-run-options", create + "?name=a"},
		{"cli28-run-mounts", create},
		{"cli20-run-volume", create},
		{"compose1-container", create},
		{"compose2-container", create},
		{"dockerpy-run", create},
		{"dockerjava-run", create},
		{"testcontainers-go", create},
		{"cli28-exec", "/v1.41/containers/web/exec"},
		{"dockerpy-exec", "/v1.41/containers/web/exec"},
		{"cli28-update", "/v1.41/containers/web/update"},
		{"dockerpy-update", "/v1.41/containers/web/update"},
		{"dockerpy-commit", "/v1.41/commit?container=web&repo=img&changes=ENV+X%3D1"},
		{"cli28-network", "/v1.41/networks/create"},
		{"compose1-network", "/v1.41/networks/create"},
		{"compose2-network", "/v1.41/networks/create"},
		{"cli28-connect", "/v1.41/networks/net/connect"},
		{"cli28-disconnect", "/v1.41/networks/net/disconnect"},
		{"compose1-connect", "/v1.41/networks/shop_default/connect"},
		{"cli28-volume", "/v1.41/volumes/create"},
		{"compose1-volume", "/v1.41/volumes/create"},
	}
	p := verdict.Policy{Grants: verdict.Grants{Binds: []verdict.BindGrant{{Path: "/srv/ci"}}, GuardSocket: "/run/sockguard.sock"}}
	in := inventory()
	in[verdict.Container]["b"] = in[verdict.Container]["web"]
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			path := "testdata/bodies/" + v.name
			body, err := os.ReadFile(path + ".in.json")
			if err != nil {
				t.Fatal(err)
			}
			out, err := decideOn(p, in, "POST", v.target, string(body))
			if err != nil {
				t.Fatal(err)
			}
			got := printed(t, out)
			if *fieldtest.Update {
				if err := os.WriteFile(path+".out.json", got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path + ".out.json")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// printed returns a decision as indented JSON.
func printed(t *testing.T, d *verdict.Decision) []byte {
	type engineCall struct {
		Method, Path string
		Body         json.RawMessage `json:",omitempty"`
	}
	golden := struct {
		Name          string          `json:",omitempty"`
		Query         url.Values      `json:",omitempty"`
		Before, After []engineCall    `json:",omitempty"`
		Body          json.RawMessage `json:",omitempty"`
	}{Name: d.Name, Query: d.Query, Body: json.RawMessage(d.Body)}
	for _, c := range d.Before {
		golden.Before = append(golden.Before, engineCall{c.Method, c.Path, json.RawMessage(c.Body)})
	}
	for _, c := range d.After {
		golden.After = append(golden.After, engineCall{c.Method, c.Path, json.RawMessage(c.Body)})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(golden); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
