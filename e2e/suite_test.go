package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"sockguard/e2e/engine"
)

// A suite is what all tests of one run share.
type suite struct {
	run    string // random; part of every name the run makes
	dir    string // of short path, for sockets
	config string // DOCKER_CONFIG of the clients: no credentials, no contexts
	docker string // path of the docker CLI
	host   string // address of the engine
	socket string // path of the engine's socket
	engine *client.Client
	base   *engine.Base
	common string // base image for everything but builds
	image  string // the sockguard image
	binary string // path of sockguard itself
	inside string // path of the program for client containers

	required bool // a missing client is a failure
}

// newSuite returns nil and the reason if this machine cannot run the suite, a
// suite to close and the error if setting it up went wrong.
func newSuite(ctx context.Context) (*suite, error) {
	host := engine.Host()
	socket, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return nil, fmt.Errorf("the suite mounts the engine's socket, and DOCKER_HOST=%s is none", host)
	}
	api, err := engine.Connect(ctx, host)
	if err != nil {
		return nil, err
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		api.Close()
		return nil, fmt.Errorf("the docker command is missing: %w", err)
	}
	s := &suite{
		run:    strings.ToLower(rand.Text()[:8]),
		docker: docker,
		host:   host,
		socket: socket,
		engine: api,

		required: required(),
	}
	return s, s.setUp(ctx)
}

func (s *suite) setUp(ctx context.Context) error {
	// testcontainers-go, unasked, looks for its reaper's image in a registry and,
	// where /.dockerenv exists, for the engine behind a gateway address.
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	os.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
	os.Setenv("DOCKER_HOST", s.host)
	log.SetDefault(log.NewNoopLogger())
	var err error
	if s.dir, err = os.MkdirTemp("", "sg-e2e-"); err != nil {
		return err
	}
	if err := s.writeConfig(); err != nil {
		return err
	}
	if s.base, err = engine.NewBase(ctx); err != nil {
		return err
	}
	s.common = s.name("base")
	if err := s.base.Import(ctx, s.engine, s.common); err != nil {
		return err
	}
	s.inside = filepath.Join(s.dir, "inside")
	if err := engine.GoBuildStatic(ctx, "./e2e/inside", s.inside); err != nil {
		return err
	}
	return s.buildGuard(ctx)
}

// writeConfig makes an empty client configuration that knows the user's plugins.
func (s *suite) writeConfig() error {
	s.config = filepath.Join(s.dir, "config")
	if err := os.Mkdir(s.config, 0o755); err != nil {
		return err
	}
	home, _ := os.UserHomeDir()
	plugins := fmt.Sprintf(`{"cliPluginsExtraDirs": [%q]}`, filepath.Join(home, ".docker", "cli-plugins"))
	return os.WriteFile(filepath.Join(s.config, "config.json"), []byte(plugins), 0o644)
}

// buildGuard makes the sockguard image as README.md says.
func (s *suite) buildGuard(ctx context.Context) error {
	root, err := engine.ModuleRoot()
	if err != nil {
		return err
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "image")
	s.binary = filepath.Join(dir, "bin", "sockguard")
	if err := engine.GoBuildStatic(ctx, "./cmd/sockguard", s.binary); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), dockerfile, 0o644); err != nil {
		return err
	}
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return err
	}
	defer provider.Close()
	var output strings.Builder
	request := &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		Context: dir, Repo: "sockguard-e2e/sockguard", Tag: s.run, KeepImage: true, BuildLogWriter: &output,
	}}
	if s.image, err = provider.BuildImage(ctx, request); err != nil {
		return fmt.Errorf("sockguard image: %w\n%s", err, output.String())
	}
	return nil
}

// name returns an image reference of this run.
func (s *suite) name(what string) string {
	return fmt.Sprintf("sockguard-e2e/%s:%s", what, s.run)
}

// marked makes a base image of its own for one build, to tell what the build
// makes from everything else on the engine.
func (s *suite) marked(t *testing.T, mark string) string {
	t.Helper()
	ref := s.name(mark)
	if err := s.base.Import(t.Context(), s.engine, ref, engine.Mark(mark)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.RemoveMarked(context.Background(), s.engine, mark); err != nil {
			t.Error(err)
		}
	})
	return ref
}

// trace watches the engine for the rest of the test.
func (s *suite) trace(t *testing.T) *engine.Trace {
	t.Helper()
	trace := engine.StartTrace(t.Context(), s.engine)
	t.Cleanup(trace.Stop)
	return trace
}

// unguarded runs a docker command on the engine itself.
func (s *suite) unguarded(t *testing.T, args ...string) string {
	t.Helper()
	return (&guard{host: s.host}).docker(t, args...).ok()
}

// discard removes a container that a test made beside the guard.
func (s *suite) discard(t *testing.T, id string) {
	t.Helper()
	_, err := s.engine.ContainerRemove(context.Background(), id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil {
		t.Error(err)
	}
}

// leftOut ends a test that this machine has not the client for.
func (s *suite) leftOut(t *testing.T, what string) {
	t.Helper()
	if s.required {
		t.Fatal(what)
	}
	t.Skip("LEFT OUT: " + what)
}

func (s *suite) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	defer s.engine.Close()
	var errs []error
	for _, ref := range []string{s.image, s.common} {
		if ref == "" {
			continue
		}
		_, err := s.engine.ImageRemove(ctx, ref, client.ImageRemoveOptions{Force: true, PruneChildren: true})
		errs = append(errs, err)
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
