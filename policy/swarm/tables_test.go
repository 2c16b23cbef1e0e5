package swarm

import (
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"sockguard/policy/field/fieldtest"
)

func TestTablesCoverTheAPI(t *testing.T) {
	fieldtest.Covers(t, serviceTable, swarm.ServiceSpec{})
	fieldtest.Covers(t, taskTable, swarm.TaskSpec{})
	fieldtest.Covers(t, containerSpecTable, swarm.ContainerSpec{})
	fieldtest.Covers(t, privilegesTable, swarm.Privileges{})
	fieldtest.Covers(t, resourcesTable, swarm.ResourceRequirements{})
	fieldtest.Covers(t, limitsTable, swarm.Limit{}, swarm.Resources{})
	fieldtest.Covers(t, secretTable, swarm.SecretSpec{}, swarm.ConfigSpec{})
}

func TestPage(t *testing.T) {
	fieldtest.Page(t, "Services", containerSpecTable)
}

func TestTablesAreComplete(t *testing.T) {
	fieldtest.Complete(t, serviceTable, "../verdict")
	fieldtest.Complete(t, taskTable)
	fieldtest.Complete(t, containerSpecTable, "../verdict", "../container")
	fieldtest.Complete(t, privilegesTable)
	fieldtest.Complete(t, resourcesTable)
	fieldtest.Complete(t, limitsTable)
	fieldtest.Complete(t, secretTable, "../verdict")
}
