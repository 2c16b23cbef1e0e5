package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"sockguard/e2e/engine"
)

// Every volume of a container has the owner's label, however its targets are
// spelled.
func TestAttackUnlabelledVolumes(t *testing.T) {
	ctx := need(t)
	g := newGuard(t)
	g.docker(t, "volume", "create", "named-"+g.owner).ok()
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nVOLUME /image /image/deep/ /a/../dots\n")
	withVolumes := e2e.name("volumes-" + g.owner)
	g.docker(t, "build", "-t", withVolumes, p.dir).ok()
	from := g.docker(t, "create", "-v", "/from", e2e.common).ok()
	for _, body := range []string{
		`"Volumes":{"/data":{}},"HostConfig":{"Tmpfs":{"/data/":""}}`,
		`"Volumes":{"/data":{}},"HostConfig":{"Tmpfs":{"//data":""}}`,
		`"Volumes":{"/data":{}},"HostConfig":{"Tmpfs":{"/data/.":""}}`,
		`"Volumes":{"/data/":{}},"HostConfig":{"Tmpfs":{"/data":""}}`,
		`"Volumes":{"/data":{},"/data/":{}}`,
		`"Volumes":{"/data/":{}},"HostConfig":{"Binds":["named-#:/data"]}`,
		`"Volumes":{"/data":{}},"HostConfig":{"Binds":["named-#:/data/"]}`,
		`"Volumes":{"/data/x/..":{}},"HostConfig":{"Mounts":[{"Type":"volume","Source":"named-#","Target":"/data/."}]}`,
		`"Volumes":{"/from/":{}},"HostConfig":{"VolumesFrom":["` + from + `"]}`,
		`"HostConfig":{"Binds":["/data/","/data"]}`,
		`"HostConfig":{"Tmpfs":{"/image/":""}}`,
		`"HostConfig":{"Tmpfs":{"/image/deep":"","/dots/":""}}`,
		`"HostConfig":{"Mounts":[{"Type":"tmpfs","Target":"/image/"}]}`,
		`"HostConfig":{"Binds":["named-#:/image/"]}`,
	} {
		body = fmt.Sprintf(`{"Image":%q,%s}`, withVolumes, strings.ReplaceAll(body, "#", g.owner))
		got := g.http(t, "POST", "/containers/create", body)
		id := between(got.body, `"Id":"`, `"`)
		if id == "" {
			continue // refused, by the engine for what is mounted twice
		}
		c, err := e2e.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.Container.Mounts {
			if m.Type != "volume" {
				continue
			}
			if owner := ownerOf(t, "volume", m.Name); owner != g.owner {
				t.Errorf("%s: the volume at %s has owner %q", body, m.Destination, owner)
			}
		}
		e2e.discard(t, id)
	}
}

// A build leaves nothing without a label, though its steps have the volumes of
// an image, however it ends.
func TestAttackBuildLeavesNoVolume(t *testing.T) {
	ctx := need(t)
	g := newGuard(t)
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@ AS a\nVOLUME /v\nRUN echo 1 > /v/f\nFROM a\nRUN sleep 1; exit 3\n-- slow --\nFROM @BASE@\nVOLUME /v\nRUN sleep 263\n")
	before := volumes(t)
	g.docker(t, "build", p.dir).fails("exit 3")
	build := g.command(t, e2e.docker, "build", "-f", p.dir+"/slow", p.dir)
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	step := runningStep(ctx, t, p, "sleep 263")
	c, err := e2e.engine.ContainerInspect(ctx, step.ID, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	build.Process.Kill()
	build.Wait()
	eventually(t, func() bool { return e2e.unguarded(t, "ps", "-aq", "--filter", "ancestor="+p.base) == "" })
	after := volumes(t)
	for _, m := range c.Container.Mounts {
		if slices.Contains(after, m.Name) && !slices.Contains(before, m.Name) {
			t.Errorf("the volume %s of a step is left", m.Name)
		}
	}
}

func volumes(t *testing.T) []string {
	t.Helper()
	return strings.Fields(e2e.unguarded(t, "volume", "ls", "-q"))
}

// On an engine whose images have several platforms, ownership is that of every
// platform, or of the one that is asked for.
func TestAttackOtherPlatform(t *testing.T) {
	needContainerd(t)
	mallory, victim := newGuard(t), newGuard(t)
	name := "docker.io/library/platforms-" + victim.owner + ":1"
	short := strings.TrimPrefix(name, "docker.io/library/")
	labels := map[string]string{"arm64:" + engine.OwnerLabel: victim.owner, "arm64:secret": "tell-" + victim.owner}
	loadOn(t, ociIndexOf(t, labels, "amd64", "arm64").archive(t, name))
	untag(t, short)
	arm := "platform=" + escapedPlatform
	for _, target := range []string{
		"/images/" + short + "/json?" + arm, "/images/" + short + "/json?manifests=1", "/images/" + short + "/history?" + arm,
		"/images/" + short + "/get?" + arm, "/images/get?names=" + short + "&" + arm, "/images/" + short + "/get", "/images/json?manifests=1",
	} {
		if got := mallory.http(t, "GET", target, ""); strings.Contains(got.body, "tell-"+victim.owner) {
			t.Errorf("GET %s tells of the other owner's platform: %d", target, got.status)
		}
	}
	for _, target := range []string{"/containers/create?platform=linux/arm64"} {
		got := mallory.http(t, "POST", target, `{"Image":"`+short+`"}`)
		if got.status != 404 {
			t.Errorf("POST %s: got %+v", target, got)
		}
	}
	p := newProject(t, "-- Dockerfile --\nFROM --platform=linux/arm64 "+short+"\nENV SOCKGUARD_E2E_MARK=x\n")
	mallory.docker(t, "build", p.dir).fails(short)
	mallory.docker(t, "save", "--platform", "linux/arm64", "-o", t.TempDir()+"/x", short).fails()
}

// A container has the volumes of the platform that it is made for.
func TestAttackVolumesOfOtherPlatform(t *testing.T) {
	ctx := needContainerd(t)
	g := newGuard(t)
	x := ociIndexWith(t, map[string]string{"arm64": "/arm"}, map[string]string{engine.OwnerLabel: g.owner}, "amd64", "arm64")
	name := "docker.io/library/volumes-" + g.owner + ":1"
	loadOn(t, x.archive(t, name))
	short := strings.TrimPrefix(name, "docker.io/library/")
	untag(t, short)
	id := between(g.http(t, "POST", "/containers/create?platform=linux/arm64", `{"Image":"`+short+`"}`).body, `"Id":"`, `"`)
	if id == "" {
		t.Fatal("no container of one's own image")
	}
	c, err := e2e.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Container.Mounts) == 0 {
		t.Fatal("the container has no volume")
	}
	for _, m := range c.Container.Mounts {
		if owner := ownerOf(t, "volume", m.Name); owner != g.owner {
			t.Errorf("the volume at %s has owner %q", m.Destination, owner)
		}
	}
}

// needContainerd is need on an engine with the containerd image store and an API
// whose image routes take a platform.
func needContainerd(t *testing.T) context.Context {
	t.Helper()
	ctx := need(t)
	info, err := e2e.engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprint(info.Info.DriverStatus), "io.containerd.snapshotter") {
		t.Skip("LEFT OUT: the engine has no containerd image store")
	}
	return ctx
}

// escapedPlatform is linux/arm64 as a query parameter of the API.
const escapedPlatform = `%7B%22os%22%3A%22linux%22%2C%22architecture%22%3A%22arm64%22%7D`

// loadOn loads an archive on the engine itself.
func loadOn(t *testing.T, archive []byte) {
	t.Helper()
	engineGuard().pipe(t, strings.NewReader(string(archive)), "load").ok()
}
