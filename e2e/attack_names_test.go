package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// Whoever gives a name to an image that is not theirs gives it to nobody else:
// the name is refused, or leads to an image with the label of who gave it.
func TestAttackNameOnSharedImage(t *testing.T) {
	need(t)
	mallory, other := newGuard(t), newGuard(t)
	id := imageID(t, e2e.common)
	for what, source := range map[string]string{"by name": e2e.common, "by ID": id, "by a part of the ID": id[7:19]} {
		t.Run(what, func(t *testing.T) {
			name := e2e.name("python-" + mallory.owner + "-" + id[7:7+len(source)%10])
			untag(t, name)
			if given := mallory.docker(t, "tag", source, name); given.code == 0 {
				if got := ownerOf(t, "image", name); got != mallory.owner {
					t.Errorf("the image called %s has owner %q, want %q", name, got, mallory.owner)
				}
				mallory.docker(t, "run", "--rm", name, "id").ok()
			}
			other.docker(t, "run", "--rm", "--pull", "never", name, "id").fails("No such image")
			p := newProject(t, "-- Dockerfile --\nFROM "+name+"\nENV SOCKGUARD_E2E_MARK=x\n-- copy --\nFROM @BASE@\nCOPY --from="+name+" /bin /got\n")
			other.docker(t, "build", p.dir).fails()
			other.docker(t, "build", "-f", p.dir+"/copy", p.dir).fails()
		})
	}
	built := mallory.builtImage(t, "mine")
	name := e2e.name("own-" + mallory.owner)
	mallory.docker(t, "tag", built, name).ok()
	if got := mallory.docker(t, "run", "--rm", name).ok(); got != "mine" {
		t.Errorf("one's own image says %q by its second name", got)
	}
}

// A name that was free when a request began, and is another owner's when the
// engine has read it, stays the other owner's.
func TestAttackNameTakenDuringWork(t *testing.T) {
	need(t)
	victim := newGuard(t)
	image := victim.builtImage(t, "victim")
	want := imageID(t, image)
	mallory, tap := newTappedGuard(t)
	registry := startRegistry(t)
	container := mallory.background(t, "true")
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nRUN echo mallory > /said\n")
	for _, tt := range []struct {
		work, path string
		do         func(t *testing.T, name string)
	}{
		{"commit", "/commit", func(t *testing.T, name string) { mallory.docker(t, "commit", container, name) }},
		{"import", "/images/create", func(t *testing.T, name string) {
			mallory.pipe(t, bytes.NewReader(p.tar(t)), "import", "-", name)
		}},
		{"build", "/build", func(t *testing.T, name string) { mallory.docker(t, "build", "-t", name, p.dir) }},
		{"load", "/images/load", func(t *testing.T, name string) {
			mallory.docker(t, "build", "-t", name, p.dir).ok()
			archive := mallory.docker(t, "save", name).exits(0).stdout
			mallory.docker(t, "rmi", "--no-prune", name).ok()
			tap.between("POST", "/images/load", func() { takeName(t, victim, image, name) })
			mallory.pipe(t, strings.NewReader(archive), "load")
		}},
		{"pull", "/images/create", func(t *testing.T, name string) { mallory.docker(t, "pull", name) }},
	} {
		t.Run(tt.work, func(t *testing.T) {
			name := e2e.name("raced-" + tt.work + "-" + mallory.owner)
			if tt.work == "pull" {
				name = registry + "/raced:1"
				publish(t, e2e.common, name)
			}
			untag(t, name)
			if tt.work != "load" {
				tap.between("POST", tt.path, func() { takeName(t, victim, image, name) })
			}
			tt.do(t, name)
			tap.passed(t)
			if got := imageID(t, name); got != want {
				t.Errorf("%s took the name of the victim's image %s for %s", tt.work, want, got)
			}
		})
	}
}

// A pull moves a shared name only where the image came from that repository, for
// the same platform.
func TestAttackPullMovesSharedName(t *testing.T) {
	need(t)
	mallory := newGuard(t)
	registry := startRegistry(t)
	local := registry + "/local:1"
	publish(t, e2e.common, local)
	madeHere := e2e.marked(t, "mark-"+mallory.owner)
	e2e.unguarded(t, "tag", madeHere, local)

	both := registry + "/both:1"
	index := ociIndexOf(t, nil, "amd64", "arm64")
	index.push(t, both)
	e2e.unguarded(t, "pull", "-q", "--platform", "linux/amd64", both)
	untag(t, local, both)
	p := newProject(t, "-- Dockerfile --\nFROM --platform=linux/arm64 "+both+"\nENV SOCKGUARD_E2E_MARK=x\n-- local --\nFROM "+local+"\nENV SOCKGUARD_E2E_MARK=x\n")
	for _, tt := range []struct {
		name, ref string
		args      []string
	}{
		{"over an image made here", local, []string{"pull", local}},
		{"over an image made here, by a build", local, []string{"build", "--pull", "-f", p.dir + "/local", p.dir}},
		{"of another platform", both, []string{"pull", "--platform", "linux/arm64", both}},
		{"of another platform, by a build", both, []string{"build", p.dir}},
	} {
		before := imageID(t, tt.ref)
		r := mallory.docker(t, tt.args...)
		if after := imageID(t, tt.ref); after != before {
			t.Errorf("a pull %s moved %s from %s to %s", tt.name, tt.ref, before, after)
			e2e.unguarded(t, "tag", before, tt.ref)
		}
		if tt.ref == both && before == fmt.Sprintf("sha256:%x", sha256.Sum256(index.index)) {
			continue // the image store keeps all platforms of an image
		}
		if tt.args[0] == "pull" && (r.code == 0 || !strings.Contains(r.stderr, "sockguard")) {
			t.Errorf("a pull %s: status %d, %s; want a refusal that says why", tt.name, r.code, r.stderr)
		}
	}

	// The engine's own platform takes the name back when the image is renewed.
	first := registry + "/first:1"
	untag(t, first)
	ociIndexOf(t, map[string]string{"version": "1"}, "arm64").push(t, first)
	mallory.docker(t, "pull", "--platform", "linux/arm64", first).ok()
	ociIndexOf(t, map[string]string{"version": "2"}, "amd64", "arm64").push(t, first)
	mallory.docker(t, "pull", "--platform", "linux/amd64", first).ok()
	if got := e2e.unguarded(t, "image", "inspect", "-f", "{{.Architecture}}", first); got != "amd64" {
		t.Errorf("after a pull for the engine's own platform %s is for %s", first, got)
	}

	renewed := registry + "/renewed:1"
	untag(t, renewed)
	ociIndexOf(t, nil, "amd64").push(t, renewed)
	e2e.unguarded(t, "pull", "-q", renewed)
	before := imageID(t, renewed)
	ociIndexOf(t, map[string]string{"version": "2"}, "amd64").push(t, renewed)
	mallory.docker(t, "pull", renewed).ok()
	if imageID(t, renewed) == before {
		t.Error("a pull does not renew an image that came from the same repository")
	}
}

// With --allow-tag an owner gives names that match, by whatever route.
func TestAttackNamesOutsideThePattern(t *testing.T) {
	need(t)
	g := newGuard(t, "--allow-tag", "sockguard-e2e/mine-*", "--allow-tag", "registry.test/team/*")
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nRUN id\n")
	inside, outside := "sockguard-e2e/mine-"+g.owner+":1", e2e.name("squat-"+g.owner)
	untag(t, inside, outside)
	container := g.background(t, "true")
	g.docker(t, "build", "-t", inside, p.dir).ok()
	archive := g.docker(t, "save", inside).exits(0).stdout
	for _, tt := range []struct {
		args  []string
		stdin string
	}{
		{args: []string{"build", "-t", outside, p.dir}},
		{args: []string{"build", "-t", inside, "-t", outside, p.dir}},
		{args: []string{"tag", inside, outside}},
		{args: []string{"tag", inside, "mine-x:1"}},
		{args: []string{"tag", inside, "registry.test/team"}},
		{args: []string{"tag", inside, "registry.test/team/x/y"}},
		{args: []string{"commit", container, outside}},
		{args: []string{"import", "-", outside}, stdin: string(p.tar(t))},
		{args: []string{"load"}, stdin: strings.ReplaceAll(archive, inside, "sockguard-e2e/they-"+g.owner+":1")},
	} {
		g.pipe(t, strings.NewReader(tt.stdin), tt.args...).fails("--allow-tag")
	}
	for _, args := range [][]string{{"tag", inside, "registry.test/team/x:2"}, {"commit", container, inside}} {
		g.docker(t, args...).ok()
	}
	g.pipe(t, strings.NewReader(archive), "load").ok()
}
