package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// A container that has the guarded socket for its engine: the Engine SDK in it
// builds, runs and lists, as a CI job does.
func TestClientContainer(t *testing.T) {
	need(t)
	g := newGuard(t)
	p := newProject(t, multiStage)
	trace := e2e.trace(t)
	c, err := testcontainers.Run(t.Context(), e2e.common,
		testcontainers.WithFiles(
			testcontainers.ContainerFile{HostFilePath: e2e.inside, ContainerFilePath: "/bin/inside", FileMode: 0o755},
			testcontainers.ContainerFile{HostFilePath: p.dir, ContainerFilePath: "/", FileMode: 0o755},
		),
		testcontainers.WithCmd("/bin/inside", "/"+filepath.Base(p.dir), e2e.name("built-"+p.mark)),
		testcontainers.WithEnv(map[string]string{"DOCKER_HOST": "unix:///guarded/guard.sock"}),
		testcontainers.WithConfigModifier(func(c *container.Config) { c.User = "4321:4321" }),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.Binds = []string{g.dir + ":/guarded"}
			h.NetworkMode = "none"
		}),
		testcontainers.WithWaitStrategy(wait.ForExit()),
	)
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	state, err := c.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := containerLog(c)
	if state.ExitCode != 0 || !strings.Contains(got, "said hello\nhello\ndocs\ncontainers listed: 1\n") {
		t.Errorf("the client container: status %d\n%s", state.ExitCode, got)
	}
	p.checkOwned(t, trace, g.owner, 11, 8)
}
