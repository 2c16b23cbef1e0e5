package e2e

import (
	"strings"
	"testing"

	"sockguard/e2e/engine"
)

func TestGuardSurvivesItsDeath(t *testing.T) {
	ctx := need(t)
	g := newGuard(t)
	container := g.background(t, "sleep 300")
	e2e.unguarded(t, "kill", g.id)
	g.docker(t, "ps").fails("Cannot connect")
	e2e.unguarded(t, "start", g.id)
	api, err := engine.Await(ctx, g.host)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	if got := g.docker(t, "ps", "-q", "--no-trunc").ok(); got != container {
		t.Errorf("after its return the guard shows %q, want %q", got, container)
	}
}

// A client that goes away in the middle of a build takes the build with it.
func TestBuildEndsWithItsClient(t *testing.T) {
	ctx := need(t)
	g := newGuard(t)
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nRUN sleep 271\n")
	build := g.command(t, e2e.docker, "build", p.dir)
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	runningStep(ctx, t, p, "sleep 271")
	build.Process.Kill()
	build.Wait()
	eventually(t, func() bool {
		return e2e.unguarded(t, "ps", "-aq", "--filter", "ancestor="+p.base) == ""
	})
}

// The engine hears of nothing that the guard refuses, and the operator does.
func TestRefusalsAreLogged(t *testing.T) {
	need(t)
	g := newGuard(t)
	g.docker(t, "run", "--rm", "--pid", "host", e2e.common, "id").fails("sockguard", "PidMode")
	// The engine copies a container's output into its log in its own time.
	eventually(t, func() bool {
		log := finish(t, (&guard{host: e2e.host}).command(t, e2e.docker, "logs", g.id))
		all := log.stdout + log.stderr
		return strings.Contains(all, "deny") && strings.Contains(all, g.owner)
	})
}
