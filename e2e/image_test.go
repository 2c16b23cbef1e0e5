package e2e

import (
	"path/filepath"
	"testing"
)

// builtImage builds a small image through the guard.
func (g *guard) builtImage(t *testing.T, says string) string {
	t.Helper()
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nRUN echo "+says+" > /said\nCMD [\"cat\", \"/said\"]\n")
	tag := e2e.name("built-" + p.mark)
	g.docker(t, "build", "-q", "-t", tag, p.dir).ok()
	return tag
}

func TestPushAndPull(t *testing.T) {
	need(t)
	g := newGuard(t)
	registry := e2e.unguarded(t, "run", "-d", "-p", "127.0.0.1::5000", e2e.common, "registry", ":5000")
	t.Cleanup(func() { e2e.discard(t, registry) })
	ref := e2e.unguarded(t, "port", registry, "5000") + "/some/image:tag"
	built := g.builtImage(t, "pushed")
	g.docker(t, "tag", built, ref).ok()
	eventually(t, func() bool { return g.docker(t, "push", ref).code == 0 })
	g.docker(t, "rmi", ref, built).ok()
	g.docker(t, "pull", ref).ok()
	if got := g.docker(t, "run", "--rm", ref).ok(); got != "pushed" {
		t.Errorf("the pulled image says %q", got)
	}
	g.docker(t, "rmi", ref).ok()
	g.docker(t, "pull", ref+"-absent").fails("not found")

	unlabelled := e2e.unguarded(t, "port", registry, "5000") + "/base:1"
	e2e.unguarded(t, "tag", e2e.common, unlabelled)
	e2e.unguarded(t, "push", unlabelled)
	e2e.unguarded(t, "rmi", unlabelled)
	p := newProject(t, "-- Dockerfile --\nFROM "+unlabelled+"\nENV SOCKGUARD_E2E_MARK=x\nRUN id\n")
	g.docker(t, "build", p.dir).ok()
	e2e.unguarded(t, "rmi", "--no-prune", unlabelled)
}

func TestSaveAndLoad(t *testing.T) {
	need(t)
	g := newGuard(t)
	built := g.builtImage(t, "saved")
	archive := filepath.Join(t.TempDir(), "image.tar")
	g.docker(t, "save", "-o", archive, built).ok()
	g.docker(t, "rmi", built).ok()
	g.docker(t, "load", "-i", archive).ok()
	if got := g.docker(t, "run", "--rm", built).ok(); got != "saved" {
		t.Errorf("the loaded image says %q", got)
	}
	if got := ownerOf(t, "image", built); got != g.owner {
		t.Errorf("the loaded image has owner %q, want %q", got, g.owner)
	}
}

func TestTagHistoryAndRemove(t *testing.T) {
	need(t)
	g := newGuard(t)
	built := g.builtImage(t, "tagged")
	other := e2e.name("other-" + g.owner)
	g.docker(t, "tag", built, other).ok()
	g.docker(t, "history", other).ok()
	g.docker(t, "rmi", built).ok()
	if got := g.docker(t, "run", "--rm", other).ok(); got != "tagged" {
		t.Errorf("the image says %q by its other name", got)
	}
	g.docker(t, "rmi", other).ok()
	g.docker(t, "rmi", other).fails("No such image")
}
