package e2e

import (
	"strings"
	"testing"
)

// Two owners on one engine see, touch and learn nothing of each other.
func TestListsShowOnlyOnesOwn(t *testing.T) {
	need(t)
	mine, theirs := newGuard(t), newGuard(t)
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nRUN echo theirs > /f\n")
	image := e2e.name("built-" + p.mark)
	theirs.docker(t, "build", "-t", image, p.dir).ok()
	container := theirs.background(t, "sleep 300")
	network, volume := "net-"+theirs.owner, "vol-"+theirs.owner
	networkID := theirs.docker(t, "network", "create", network).ok()
	theirs.docker(t, "volume", "create", volume).ok()

	for _, list := range []struct {
		args []string
		want string
	}{
		{[]string{"ps", "-aq", "--no-trunc"}, container},
		{[]string{"network", "ls", "-q", "--no-trunc"}, networkID},
		{[]string{"volume", "ls", "-q"}, volume},
		{[]string{"images", "-a", "--format", "{{.Repository}}:{{.Tag}}"}, image},
	} {
		if got := theirs.docker(t, list.args...).ok(); !strings.Contains(got, list.want) {
			t.Errorf("docker %s hides one's own %s:\n%s", strings.Join(list.args, " "), list.want, got)
		}
		if got := mine.docker(t, list.args...).ok(); strings.Contains(got, list.want) {
			t.Errorf("docker %s shows another's %s:\n%s", strings.Join(list.args, " "), list.want, got)
		}
	}
	for _, g := range []*guard{mine, theirs} {
		if got := g.docker(t, "images", "-q", e2e.common).ok(); got == "" {
			t.Error("docker images hides the unlabelled base image")
		}
	}
}

func TestForeignObjectsLookMissing(t *testing.T) {
	need(t)
	mine, theirs := newGuard(t), newGuard(t)
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nRUN echo theirs > /f\n")
	image := e2e.name("built-" + p.mark)
	theirs.docker(t, "build", "-t", image, p.dir).ok()
	id := theirs.background(t, "sleep 300", "--name", "c-"+theirs.owner)
	network, volume := "net-"+theirs.owner, "vol-"+theirs.owner
	theirs.docker(t, "network", "create", network).ok()
	theirs.docker(t, "volume", "create", volume).ok()

	for _, tt := range []struct {
		args string
		says string
	}{
		{"inspect --type container " + id, "No such container"},
		{"logs " + id[:12], "No such container"},
		{"exec c-" + theirs.owner + " id", "No such container"},
		{"cp c-" + theirs.owner + ":/etc -", ""},
		{"rm " + id, "No such container"},
		{"kill " + id, "No such container"},
		{"attach " + id, "No such container"},
		{"stats --no-stream " + id, "No such container"},
		{"commit " + id, "No such container"},
		{"network inspect " + network, "not found"},
		{"network rm " + network, "not found"},
		{"volume inspect " + volume, "no such volume"},
		{"volume rm " + volume, "no such volume"},
		{"image inspect " + image, "No such image"},
		{"rmi " + image, "No such image"},
		{"tag " + image + " x", "No such image"},
		{"run --rm --pull never " + image, ""},
		{"run --rm --network " + network + " " + e2e.common + " id", ""},
		{"run --rm --network container:" + id + " " + e2e.common + " id", ""},
		{"run --rm --volumes-from " + id + " " + e2e.common + " id", ""},
		{"run --rm -v " + volume + ":/x " + e2e.common + " id", ""},
	} {
		mine.docker(t, strings.Fields(tt.args)...).fails(tt.says)
	}
	mine.docker(t, "rm", "-f", id).exits(0) // so the CLI says of any missing container
	mine.docker(t, "container", "prune", "-f").ok()
	mine.docker(t, "volume", "prune", "-f").ok()
	mine.docker(t, "network", "prune", "-f").ok()
	if got := theirs.docker(t, "inspect", "-f", "{{.State.Running}}", id).ok(); got != "true" {
		t.Error("the other owner's container no longer runs")
	}
	theirs.docker(t, "network", "inspect", network).ok()
	theirs.docker(t, "volume", "inspect", volume).ok()
	theirs.docker(t, "image", "inspect", image).ok()
}
