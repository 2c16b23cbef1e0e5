package e2e

import (
	"testing"
)

// What COPY --from names is the image that was checked, whatever the name means
// when the step comes, and so is what a trigger names.
func TestAttackCopyFromLater(t *testing.T) {
	ctx := need(t)
	mallory, victim := newGuard(t), newGuard(t)
	secret := victim.builtImage(t, "secret-"+victim.owner)
	harmless := mallory.builtImage(t, "harmless")
	name, base := e2e.name("later-"+mallory.owner), e2e.name("triggers-"+mallory.owner)
	untag(t, name, base)
	for _, dockerfile := range []string{
		"FROM @BASE@\nRUN sleep 6\nCOPY --from=" + name + " / /got/\nCMD [\"cat\", \"/got/said\"]\n",
		"FROM " + base + "\n",
	} {
		mallory.docker(t, "tag", harmless, name).ok()
		p := newProject(t, "-- Dockerfile --\n"+dockerfile+"-- triggers --\nFROM @BASE@\nCMD [\"cat\", \"/got/said\"]\n"+
			"ONBUILD RUN sleep 6\nONBUILD COPY --from="+name+" / /got/\n")
		mallory.docker(t, "build", "-f", p.dir+"/triggers", "-t", base, p.dir).ok()
		built := e2e.name("built-" + p.mark)
		build := mallory.command(t, e2e.docker, "build", "-t", built, p.dir)
		done := make(chan result, 1)
		go func() { done <- finish(t, build) }()
		runningStep(ctx, t, p, "sleep 6")
		mallory.docker(t, "rmi", "--no-prune", name).ok()
		victim.docker(t, "tag", secret, name).ok()
		r := <-done
		r.ok()
		if got := mallory.docker(t, "run", "--rm", built).ok(); got != "harmless" {
			t.Errorf("the build copied %q, want what was in the image when it was checked", got)
		}
		victim.docker(t, "rmi", "--no-prune", name).ok()
	}
}
