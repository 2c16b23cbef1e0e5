package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"sockguard/e2e/engine"
)

const multiStage = `
-- Dockerfile --
ARG VARIANT=plain
FROM @BASE@ AS tools
WORKDIR /src
COPY main.txt .
RUN cat main.txt main.txt > twice

FROM @BASE@ AS docs
RUN echo docs > /docs

FROM tools AS check
RUN grep hello twice

FROM @BASE@
ENV VARIANT=$VARIANT
COPY --from=check /src/twice /app
COPY --from=docs /docs /docs
CMD ["cat", "/app", "/docs"]
-- main.txt --
hello
`

func TestBuildLabelsEverything(t *testing.T) {
	need(t)
	g := newGuard(t)
	for _, tt := range []struct {
		name, files        string
		images, containers int
		want               string
	}{
		{"single stage", "-- Dockerfile --\nFROM @BASE@\nWORKDIR /w\nCOPY f .\nRUN cat f f > g\nCMD [\"cat\", \"g\"]\n-- f --\nhi\n", 5, 4, "hi\nhi"},
		{"multi stage", multiStage, 11, 8, "hello\nhello\ndocs"},
		{"no trailing newline", "-- Dockerfile --\nFROM @BASE@\nCMD echo 'a  b' \\\n # x\n  c", 2, 2, "a  b c"},
		{"from scratch", "-- Dockerfile --\nFROM @BASE@ AS b\nRUN echo 1 > /one\nFROM scratch\nENV SOCKGUARD_E2E_MARK=x PATH=/bin\nCOPY --from=b / /\nCMD [\"cat\", \"/one\"]\n", 2, 2, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, tt.files)
			trace := e2e.trace(t)
			tag := e2e.name("built-" + p.mark)
			g.docker(t, "build", "-t", tag, p.dir).ok()
			p.checkOwned(t, trace, g.owner, tt.images, tt.containers)
			p.checkNothingRuns(t)
			if got := g.docker(t, "run", "--rm", tag).ok(); got != tt.want {
				t.Errorf("the built image says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBuildLabelsRunningSteps(t *testing.T) {
	ctx := need(t)
	g := newGuard(t)
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@ AS a\nRUN sleep 3\nFROM @BASE@\nRUN sleep 2.9\n")
	build := g.command(t, e2e.docker, "build", p.dir)
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- build.Wait() }()
	for _, stage := range []string{"sleep 3", "sleep 2.9"} {
		step := runningStep(ctx, t, p, stage)
		if got := step.Labels[engine.OwnerLabel]; got != g.owner {
			t.Errorf("the running step %q has owner %q, want %q", stage, got, g.owner)
		}
		if ps := g.docker(t, "ps", "-q", "--no-trunc").ok(); !strings.Contains(ps, step.ID) {
			t.Errorf("docker ps through the guard shows %q, not the running step %s", ps, step.ID)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// runningStep waits for the container that runs a step of the project's build.
func runningStep(ctx context.Context, t *testing.T, p project, command string) container.Summary {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		list, err := e2e.engine.ContainerList(ctx, client.ContainerListOptions{
			Filters: client.Filters{}.Add("ancestor", p.base).Add("status", "running"),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list.Items {
			if strings.Contains(c.Command, command) {
				return c
			}
		}
	}
	t.Fatalf("no container ran %q", command)
	panic("unreachable")
}

func TestBuildOptions(t *testing.T) {
	need(t)
	g := newGuard(t)
	p := newProject(t, strings.Replace(multiStage, "ENV VARIANT=$VARIANT", "ARG VARIANT\nENV VARIANT=$VARIANT", 1))
	trace := e2e.trace(t)
	build := func(args ...string) string {
		t.Helper()
		args = append([]string{"build", "--build-arg", "VARIANT=special", "--label", "mine=yes", "--network", "none"}, args...)
		return g.docker(t, append(args, p.dir)...).ok()
	}
	tag := e2e.name("built-" + p.mark)
	build("-t", tag)
	if got, want := g.docker(t, "inspect", "-f", "{{.Config.Labels.mine}} {{index .Config.Env 2}}", tag).ok(), "yes VARIANT=special"; got != want {
		t.Errorf("the image has %q, want %q", got, want)
	}
	if again := build(); !strings.Contains(again, "Using cache") || strings.Contains(again, "Running in") {
		t.Errorf("the second build does not come from the cache:\n%s", again)
	}
	if afresh := build("--no-cache", "--target", "docs"); strings.Contains(afresh, "Using cache") {
		t.Errorf("the build without a cache uses it:\n%s", afresh)
	}
	iid := filepath.Join(t.TempDir(), "iid")
	build("-q", "--target", "docs", "--iidfile", iid)
	id, err := os.ReadFile(iid)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.docker(t, "run", "--rm", strings.TrimSpace(string(id)), "cat", "/docs").ok(); got != "docs" {
		t.Errorf("the target stage says %q, want docs", got)
	}
	p.checkOwned(t, trace, g.owner, 13, 10)
}

func TestBuildFails(t *testing.T) {
	need(t)
	g := newGuard(t)
	for _, tt := range []struct {
		name, dockerfile string
		words            []string
	}{
		{"a step", "FROM @BASE@\nRUN echo before\nRUN echo boom; exit 3\n", []string{"boom", "returned a non-zero code: 3"}},
		{"a missing file", "FROM @BASE@\nRUN echo before\nCOPY absent /\n", []string{"absent"}},
		{"an unknown instruction", "FROM @BASE@\nRUNN echo\n", []string{"RUNN"}},
		{"an empty file", "# nothing\n", []string{"Dockerfile"}},
		{"a label of the owner's key", "FROM @BASE@\nRUN echo before\nLABEL x=y com.buildkite.sockguard.owner=evil\n", []string{"sockguard", "line 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, "-- Dockerfile --\n"+tt.dockerfile)
			g.docker(t, "build", p.dir).fails(tt.words...)
			p.checkNothingRuns(t)
		})
	}
}
