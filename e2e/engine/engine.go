// Package engine is what the end-to-end suite and the demo share: reaching the
// real engine, making base images without an image registry, and writing down
// every container and image that a build makes.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// OwnerLabel is the label key that sockguard writes unless told otherwise.
const OwnerLabel = "com.buildkite.sockguard.owner"

// pingTimeout bounds the wait for an engine that accepts and never answers.
const pingTimeout = 10 * time.Second

// Host returns the address of the engine: DOCKER_HOST or the default socket.
func Host() string {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return host
	}
	return "unix:///var/run/docker.sock"
}

// Connect returns a client of the engine at host, which has answered.
func Connect(ctx context.Context, host string) (*client.Client, error) {
	c, err := client.New(client.WithHost(host))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if _, err := c.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		c.Close()
		return nil, fmt.Errorf("no Docker Engine answers on %s: %w", host, rootCause(err))
	}
	return c, nil
}

// rootCause drops the client's advice, which speaks of this and that remedy.
func rootCause(err error) error {
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		err = cause
	}
	return err
}

// Await connects to host, which is being started, within a quarter of a minute.
func Await(ctx context.Context, host string) (*client.Client, error) {
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := Connect(ctx, host)
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return c, err
		}
	}
}

// GoBuildStatic compiles the main package pkg of this module for a container of
// any image: statically, for the engine's system.
func GoBuildStatic(ctx context.Context, pkg, out string) error {
	return GoBuild(ctx, pkg, out, "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
}

// GoBuild compiles the main package pkg of this module for this machine, unless
// env says otherwise.
func GoBuild(ctx context.Context, pkg, out string, env ...string) error {
	root, err := ModuleRoot()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, b)
	}
	return nil
}

// ModuleRoot returns the directory of go.mod above the working directory.
func ModuleRoot() (string, error) {
	b, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	path := strings.TrimSpace(string(b))
	if filepath.Base(path) != "go.mod" {
		return "", errors.New("not inside the sockguard module")
	}
	return filepath.Dir(path), nil
}
