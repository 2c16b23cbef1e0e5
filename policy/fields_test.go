package policy

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	apimount "github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/volume"
)

// jsonNames are the members that an API type is read from.
func jsonNames(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			names = append(names, jsonNames(f.Type)...)
		case name == "":
			names = append(names, f.Name)
		default:
			names = append(names, name)
		}
	}
	return names
}

// Every field that the newest API knows has a row: a field that appears in an
// update of the API module fails here until somebody has judged it.
func TestTablesCoverTheAPI(t *testing.T) {
	vectors := []struct {
		api   any
		table []Field
	}{
		{container.HostConfig{}, hostConfigTable},
		{container.Config{}, configTable},
		{container.UpdateConfig{}, updateTable},
		{container.ExecCreateRequest{}, execTable},
		{network.CreateRequest{}, networkTable},
		{network.EndpointSettings{}, endpointTable},
		{network.NetworkingConfig{}, networkingTable},
		{volume.CreateRequest{}, volumeTable},
	}
	for _, v := range vectors {
		for _, name := range jsonNames(reflect.TypeOf(v.api)) {
			if field(v.table, name) == nil {
				t.Errorf("%T.%s has no verdict", v.api, name)
			}
		}
	}
	api, ours := jsonNames(reflect.TypeFor[apimount.Mount]()), jsonNames(reflect.TypeFor[mount]())
	if diff := cmp.Diff(api, ours); diff != "" {
		t.Error(diff)
	}
}

// A refused or checked field says why, in words that end up in a message.
func TestTablesGiveReasons(t *testing.T) {
	seen := map[string]bool{}
	for f := range HostConfigTable() {
		if seen[f.Name] || f.Verdict == Refused && f.Why == "" || f.Verdict == Checked && f.check == nil {
			t.Errorf("%+v is there twice, or has no reason or check", f)
		}
		seen[f.Name] = true
	}
}
