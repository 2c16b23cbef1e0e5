package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

const composeProject = `
-- Dockerfile --
FROM @BASE@ AS content
RUN mkdir /w; echo served > /w/f
FROM @BASE@
COPY --from=content /w /w
CMD ["httpd", ":8080", "/w"]
-- compose.yaml --
services:
  web:
    build: .
    networks: [inner]
    volumes: ["data:/data"]
  client:
    image: @BASE@
    command: ["wget", "http://web:8080/f"]
    networks: [inner]
    depends_on: [web]
networks:
  inner: {}
volumes:
  data: {}
`

// compose returns the command line of Docker Compose, the plugin or the older
// program of its own.
func compose(t *testing.T, g *guard) []string {
	t.Helper()
	if finish(t, g.command(t, e2e.docker, "compose", "version")).code == 0 {
		return []string{e2e.docker, "compose"}
	}
	path, err := exec.LookPath("docker-compose")
	if err != nil {
		e2e.leftOut(t, "Compose: neither `docker compose` nor `docker-compose` is installed")
	}
	return []string{path}
}

func TestCompose(t *testing.T) {
	need(t)
	g := newGuard(t)
	line := append(compose(t, g), "-p", g.owner)
	p := newProject(t, composeProject)
	trace := e2e.trace(t)
	run := func(args ...string) result {
		t.Helper()
		args = append(line[1:len(line):len(line)], args...)
		cmd := g.command(t, line[0], args...)
		cmd.Dir = p.dir
		return finish(t, cmd)
	}
	run("up", "-d", "--build").ok()
	p.checkOwned(t, trace, g.owner, 4, 4)
	eventually(t, func() bool { return strings.Contains(run("logs", "client").ok(), "served") })
	if got := run("ps", "-q", "web").ok(); ownerOf(t, "container", got) != g.owner {
		t.Errorf("the container %.12s of Compose has owner %q", got, ownerOf(t, "container", got))
	}
	for kind, name := range map[string]string{"network": g.owner + "_inner", "volume": g.owner + "_data"} {
		if got := ownerOf(t, kind, name); got != g.owner {
			t.Errorf("the %s of Compose has owner %q, want %q", kind, got, g.owner)
		}
	}
	if got := run("exec", "-T", "web", "cat", "/w/f").ok(); got != "served" {
		t.Errorf("compose exec says %q", got)
	}
	run("down", "-v", "-t", "1").ok()
	left, err := e2e.engine.ContainerList(t.Context(), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", "com.docker.compose.project="+g.owner),
	})
	if err != nil || len(left.Items) > 0 {
		t.Errorf("compose down leaves %d containers, %v", len(left.Items), err)
	}
}
