package e2e

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// commandTimeout ends a client that hangs, before the whole suite times out.
const commandTimeout = 2 * time.Minute

// A result is what a client printed and how it ended.
type result struct {
	t              *testing.T
	line           string
	stdout, stderr string
	code           int
}

// ok fails the test unless the client succeeded, and returns its output without
// the last newline.
func (r result) ok() string {
	r.t.Helper()
	r.exits(0)
	return strings.TrimSuffix(r.stdout, "\n")
}

// exits fails the test unless the client ended with the status.
func (r result) exits(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("%s: exit status %d, want %d\nstdout: %s\nstderr: %s", r.line, r.code, code, r.stdout, r.stderr)
	}
	return r
}

// fails fails the test unless the client failed and said every one of the words.
func (r result) fails(words ...string) {
	r.t.Helper()
	if r.code == 0 {
		r.t.Fatalf("%s: succeeded\nstdout: %s\nstderr: %s", r.line, r.stdout, r.stderr)
	}
	for _, word := range words {
		if !strings.Contains(r.stdout+r.stderr, word) {
			r.t.Errorf("%s: said\n%s%swithout %q", r.line, r.stdout, r.stderr, word)
		}
	}
}

// docker runs the docker CLI on the guarded socket.
func (g *guard) docker(t *testing.T, args ...string) result {
	t.Helper()
	return g.pipe(t, nil, args...)
}

// pipe runs the docker CLI on the guarded socket with a standard input.
func (g *guard) pipe(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	cmd := g.command(t, e2e.docker, args...)
	cmd.Stdin = stdin
	return finish(t, cmd)
}

// command returns any client, in the environment of the guarded socket's users.
func (g *guard) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = e2e.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + e2e.dir, "TMPDIR=" + e2e.dir,
		"DOCKER_HOST=" + g.host, "DOCKER_CONFIG=" + e2e.config, "DOCKER_BUILDKIT=0",
		"COMPOSE_DOCKER_CLI_BUILD=0",
	}
	return cmd
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return result{t, strings.Join(cmd.Args, " "), stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// eventually fails the test if the condition does not hold within ten seconds.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to that")
		}
	}
}

// A syncBuffer is read while a client still writes to it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
