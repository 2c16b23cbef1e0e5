package volume

import (
	"testing"

	"github.com/moby/moby/api/types/volume"

	"sockguard/policy/field/fieldtest"
)

func TestTable(t *testing.T) {
	fieldtest.Covers(t, createTable, volume.CreateRequest{})
	fieldtest.Complete(t, createTable, "../verdict")
}
