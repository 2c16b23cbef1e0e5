package container

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"

	"sockguard/policy/field/fieldtest"
)

func TestTablesCoverTheAPI(t *testing.T) {
	fieldtest.Covers(t, hostConfigTable, container.HostConfig{})
	fieldtest.Covers(t, configTable, container.Config{})
	fieldtest.Covers(t, updateTable, container.UpdateConfig{})
	fieldtest.Covers(t, execTable, container.ExecCreateRequest{})
	fieldtest.Covers(t, networkingTable, network.NetworkingConfig{})
	api, ours := fieldtest.JSONNames(reflect.TypeFor[mount.Mount]()), fieldtest.JSONNames(reflect.TypeFor[Mount]())
	if diff := cmp.Diff(api, ours); diff != "" {
		t.Error(diff)
	}
}

func TestPage(t *testing.T) {
	fieldtest.Page(t, "HostConfig", hostConfigTable)
	fieldtest.Page(t, "Config", configTable)
}

func TestTablesAreComplete(t *testing.T) {
	fieldtest.Complete(t, hostConfigTable)
	fieldtest.Complete(t, configTable, "../verdict")
	fieldtest.Complete(t, execTable)
	fieldtest.Complete(t, networkingTable)
}
