package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// childEnv makes the test binary a user of testcontainers-go on DOCKER_HOST,
// which the library reads once in the life of a program.
const childEnv = "SOCKGUARD_E2E_CONTEXT"

func TestTestcontainers(t *testing.T) {
	need(t)
	g := newGuard(t)
	p := newProject(t, `
-- Dockerfile --
FROM @BASE@ AS content
RUN mkdir /w && echo served > /w/f
FROM @BASE@
COPY --from=content /w /w
CMD ["httpd", ":8080", "/w"]
`)
	trace := e2e.trace(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := g.command(t, self)
	cmd.Env = append(cmd.Env, childEnv+"="+p.dir,
		"TESTCONTAINERS_RYUK_DISABLED=true", "TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1")
	if got := finish(t, cmd).ok(); got != "served" {
		t.Errorf("the container says %q", got)
	}
	p.checkOwned(t, trace, g.owner, 4, 4)
	p.checkNothingRuns(t)
}

// child builds, runs and asks the project that TestTestcontainers made.
func child() int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := testcontainers.Run(ctx, "",
		testcontainers.WithDockerfile(testcontainers.FromDockerfile{Context: os.Getenv(childEnv), KeepImage: true}),
		testcontainers.WithExposedPorts("8080/tcp"),
		testcontainers.WithWaitStrategy(wait.ForLog("httpd: serving"), wait.ForListeningPort("8080/tcp").SkipInternalCheck()),
	)
	if err == nil {
		err = ask(ctx, c)
	}
	if terminated := testcontainers.TerminateContainer(c); err == nil {
		err = terminated
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func ask(ctx context.Context, c testcontainers.Container) error {
	if code, _, err := c.Exec(ctx, []string{"cat", "/w/f"}); err != nil || code != 0 {
		return fmt.Errorf("exec: status %d, %v", code, err)
	}
	endpoint, err := c.Endpoint(ctx, "http")
	if err != nil {
		return err
	}
	resp, err := http.Get(endpoint + "/f")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}
