package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"sockguard/e2e/engine"
)

// A guard is a guarded socket: sockguard in a container of its own.
type guard struct {
	owner string
	id    string // of sockguard's container
	dir   string // holds the socket
	host  string // DOCKER_HOST of the guard's clients
	api   *client.Client
}

// newGuard starts sockguard for a fresh owner. When the test ends, it and all
// that carries the owner's label is removed.
func newGuard(t *testing.T, flags ...string) *guard {
	t.Helper()
	g := &guard{owner: "e2e-" + strings.ToLower(rand.Text()[:10])}
	g.dir = filepath.Join(e2e.dir, g.owner)
	if err := os.Mkdir(g.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	// The guard's user is a stranger on this machine; umask stands in Mkdir's way.
	if err := os.Chmod(g.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	g.host = "unix://" + filepath.Join(g.dir, "guard.sock")
	t.Cleanup(func() { g.sweep(t) })
	g.start(t, flags)
	api, err := engine.Await(t.Context(), g.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.Close() })
	g.api = api
	return g
}

func (g *guard) start(t *testing.T, flags []string) {
	t.Helper()
	cmd := append([]string{
		"serve", "--listen", "unix:///run/sockguard/guard.sock", "--upstream", "unix:///engine.sock",
		"--owner", g.owner, "--socket-mode", "0666",
	}, flags...)
	c, err := testcontainers.Run(t.Context(), e2e.image,
		testcontainers.WithCmd(cmd...),
		testcontainers.WithConfigModifier(func(c *container.Config) { c.User = "54321:54321" }),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.Binds = []string{e2e.socket + ":/engine.sock", g.dir + ":/run/sockguard"}
			h.GroupAdd = []string{fmt.Sprint(socketGroup(t))}
			h.ReadonlyRootfs = true
			h.CapDrop = []string{"ALL"}
			h.SecurityOpt = []string{"no-new-privileges"}
			h.NetworkMode = "none"
		}),
	)
	t.Cleanup(func() {
		if t.Failed() && c != nil {
			t.Logf("sockguard's log:\n%s", containerLog(c))
		}
		if err := testcontainers.TerminateContainer(c); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatalf("start sockguard: %v", err)
	}
	g.id = c.GetContainerID()
}

func socketGroup(t *testing.T) uint32 {
	t.Helper()
	info, err := os.Stat(e2e.socket)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Gid
}

func containerLog(c testcontainers.Container) string {
	r, err := c.Logs(context.Background())
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	b, _ := io.ReadAll(r)
	return string(b)
}

// sweep removes what the owner left on the engine.
func (g *guard) sweep(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	mine := client.Filters{}.Add("label", engine.OwnerLabel+"="+g.owner)
	var errs []error
	containers, err := e2e.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: mine})
	errs = append(errs, err)
	for _, c := range containers.Items {
		_, err := e2e.engine.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		errs = append(errs, err)
	}
	networks, err := e2e.engine.NetworkList(ctx, client.NetworkListOptions{Filters: mine})
	errs = append(errs, err)
	for _, n := range networks.Items {
		_, err := e2e.engine.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		errs = append(errs, err)
	}
	volumes, err := e2e.engine.VolumeList(ctx, client.VolumeListOptions{Filters: mine})
	errs = append(errs, err)
	for _, v := range volumes.Items {
		_, err := e2e.engine.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, engine.RemoveOwned(ctx, e2e.engine, g.owner))...); err != nil {
		t.Errorf("sweep %s: %v", g.owner, err)
	}
}
