package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/e2e/engine"
)

// onBuild makes an image with triggers, without a label, and returns its name.
func (p project) onBuild(t *testing.T, name, triggers string) string {
	t.Helper()
	dockerfile := "FROM " + p.base + "\nVOLUME /data\nWORKDIR /src\n" + triggers
	result := (&guard{host: e2e.host}).pipe(t, strings.NewReader(dockerfile), "build", "-q", "-t", name, "-")
	result.ok()
	return name
}

// replace changes a file of the project.
func (p project) replace(t *testing.T, name, old, new string) {
	t.Helper()
	text := strings.ReplaceAll(string(p.file(t, name)), old, new)
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// made returns the images of the project that carry the owner's label.
func (p project) made(t *testing.T, owner string) []engine.Made {
	t.Helper()
	all, err := engine.Marked(t.Context(), e2e.engine, p.mark)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(i engine.Made) bool { return i.Labels[engine.OwnerLabel] != owner })
}

// twins returns the IDs of the project's labelled twins.
func (p project) twins(t *testing.T, owner string) []string {
	t.Helper()
	var ids []string
	for _, i := range p.made(t, owner) {
		inspect, err := e2e.engine.ImageInspect(t.Context(), i.ID)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(inspect.RepoTags, func(tag string) bool { return strings.HasPrefix(tag, "sockguard-twin:") }) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// checkContainers fails the test unless at least so many containers were made of
// the project's images, all of them with the owner's label.
func (p project) checkContainers(t *testing.T, trace *engine.Trace, owner string, least int) {
	t.Helper()
	all, err := engine.Marked(t.Context(), e2e.engine, p.mark)
	if err != nil {
		t.Fatal(err)
	}
	ran, err := trace.ContainersOf(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	if len(ran) < least {
		t.Errorf("the build made %d containers, want %d or more", len(ran), least)
	}
	for _, c := range ran {
		if got := c.Labels[engine.OwnerLabel]; got != owner {
			t.Errorf("container %.12s of %s: owner %q, want %q", c.ID, c.Parent, got, owner)
		}
	}
}

func TestBuildLabelsTriggers(t *testing.T) {
	ctx := need(t)
	g := newGuard(t)
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@ AS tools\nRUN echo made > /tool\n"+
		"FROM @REF@ AS app\nRUN cat /src/f /tool\nFROM app\nCMD [\"cat\", \"/src/f\"]\n-- f --\nhi\n")
	p.replace(t, "Dockerfile", "@REF@", p.onBuild(t, p.base+"-triggers",
		"ONBUILD RUN sleep 3; pwd\nONBUILD COPY f .\nONBUILD COPY --from=tools /tool /tool\n"))
	trace := e2e.trace(t)
	build := g.command(t, e2e.docker, "build", p.dir)
	var output syncBuffer
	build.Stdout = &output
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- build.Wait() }()
	step := runningStep(ctx, t, p, "sleep 3")
	if got := step.Labels[engine.OwnerLabel]; got != g.owner {
		t.Errorf("the running trigger has owner %q, want %q", got, g.owner)
	}
	if err := <-ended; err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	p.checkContainers(t, trace, g.owner, 6)
	twins := p.twins(t, g.owner)
	if len(twins) != 1 {
		t.Errorf("there are %d twins, want 1", len(twins))
	}

	again := g.docker(t, "build", "-q", p.dir).ok()
	if got := g.docker(t, "run", "--rm", again).ok(); got != "hi" {
		t.Errorf("the built image says %q", got)
	}
	if text := g.docker(t, "build", p.dir).ok(); strings.Contains(text, "Running in") || !strings.Contains(text, "# Executing 3 build triggers") {
		t.Errorf("the second build does not come from the cache:\n%s", text)
	}
	if diff := cmp.Diff(twins, p.twins(t, g.owner)); diff != "" {
		t.Errorf("the second build made another twin: %s", diff)
	}
	p.checkNothingRuns(t)
}

// A base that is only on a registry is pulled, with its triggers, by sockguard.
func TestBuildPullsTriggers(t *testing.T) {
	need(t)
	g := newGuard(t)
	registry := e2e.unguarded(t, "run", "-d", "-p", "127.0.0.1::5000", e2e.common, "registry", ":5000")
	t.Cleanup(func() { e2e.discard(t, registry) })
	ref := e2e.unguarded(t, "port", registry, "5000") + "/some/base:1"
	p := newProject(t, "-- Dockerfile --\nFROM @REF@\nRUN cat /t\n")
	p.replace(t, "Dockerfile", "@REF@", ref)
	p.onBuild(t, ref, "ONBUILD RUN echo triggered > /t\n")
	eventually(t, func() bool { return (&guard{host: e2e.host}).docker(t, "push", ref).code == 0 })
	for _, flags := range [][]string{nil, {"--pull"}, {"--pull", "--no-cache"}} {
		if flags == nil {
			e2e.unguarded(t, "rmi", ref)
		}
		trace := e2e.trace(t)
		args := slices.Concat([]string{"build"}, flags, []string{p.dir})
		if text := g.docker(t, args...).ok(); flags == nil && !strings.Contains(text, "\ntriggered\n") {
			t.Errorf("the trigger did not run:\n%s", text)
		}
		p.checkContainers(t, trace, g.owner, 0)
	}
	p.checkNothingRuns(t)
	p.replace(t, "Dockerfile", ref, ref+"-absent")
	g.docker(t, "build", p.dir).fails("not found")
}

// Triggers that would take the label away, or read what is another owner's.
func TestBuildRefusesTriggers(t *testing.T) {
	need(t)
	g := newGuard(t)
	other := newGuard(t)
	secret := other.builtImage(t, "secret")
	for _, tt := range []struct{ name, triggers, word string }{
		{"label", "ONBUILD LABEL " + engine.OwnerLabel + "=evil\nONBUILD RUN sleep 1\n", "sockguard sets it"},
		{"foreign image", "ONBUILD COPY --from=" + secret + " /said /\n", ""}, // as one that no registry has
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, "-- Dockerfile --\nFROM @REF@\nRUN id\n")
			p.replace(t, "Dockerfile", "@REF@", p.onBuild(t, p.base+"-triggers", tt.triggers))
			trace := e2e.trace(t)
			g.docker(t, "build", p.dir).fails(tt.word)
			p.checkContainers(t, trace, g.owner, 0)
			p.checkNothingRuns(t)
		})
	}
}

var anyID = regexp.MustCompile(`[0-9a-f]{12}`)

// The output of a build is that of the same build without sockguard.
func TestBuildOutput(t *testing.T) {
	need(t)
	g := newGuard(t)
	for _, tt := range []struct {
		name, dockerfile string
		flags            []string
		fails            bool
	}{
		{"stages", "ARG V=1\nFROM @BASE@ \\\n AS a\nRUN echo out\nFROM a\nENV X=$V\nFROM @BASE@\nCOPY --from=0 / /r\n", nil, false},
		{"triggers", "# two\nFROM @TRIGGERS@ AS x\nRUN true\n", []string{"--label", "z=1", "--label", "a=2"}, false},
		{"target", "FROM @BASE@ AS x\nRUN true\nFROM @BASE@\n", []string{"--target", "x", "--label", "a=2"}, false},
		{"output like steps", "FROM @BASE@\nRUN echo 'Step 2/3 : LABEL x'; echo; echo ' ---> Using cache'\nRUN true\n", nil, false},
		{"a failing step", "FROM @BASE@\nRUN echo x; exit 3\n", nil, true},
		{"a line of the Dockerfile", "FROM @BASE@\nRUN true\n\nFROM \\\n @BASE@\nRUN true\nEXPOSE\n", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, "-- Dockerfile --\n"+tt.dockerfile)
			if strings.Contains(tt.dockerfile, "@TRIGGERS@") {
				p.replace(t, "Dockerfile", "@TRIGGERS@", p.onBuild(t, p.base+"-triggers", "ONBUILD RUN echo one\nONBUILD ENV A=b\n"))
			}
			args := slices.Concat([]string{"build", "--no-cache", "--force-rm"}, tt.flags, []string{p.dir})
			said := func(g *guard) string {
				r := g.docker(t, args...)
				if (r.code != 0) != tt.fails {
					t.Errorf("%s: exit status %d\n%s%s", r.line, r.code, r.stdout, r.stderr)
				}
				return anyID.ReplaceAllString(r.stdout+r.stderr, "ID")
			}
			if diff := cmp.Diff(said(&guard{host: e2e.host}), said(g)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBuildOutputAskedFor(t *testing.T) {
	need(t)
	g := newGuard(t, "--show-label-steps")
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\n")
	text := g.docker(t, "build", p.dir).ok()
	for _, want := range []string{"Step 1/3 : FROM sha256:", "Step 2/3 : LABEL '" + engine.OwnerLabel, "Step 3/3 : LABEL " + engine.OwnerLabel} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
