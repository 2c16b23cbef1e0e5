package network

import (
	"testing"

	"github.com/moby/moby/api/types/network"

	"sockguard/policy/field/fieldtest"
)

func TestTables(t *testing.T) {
	fieldtest.Covers(t, createTable, network.CreateRequest{})
	fieldtest.Covers(t, endpointTable, network.EndpointSettings{})
	fieldtest.Complete(t, createTable, "../verdict")
	fieldtest.Complete(t, endpointTable)
	fieldtest.Complete(t, connectTable)
}
