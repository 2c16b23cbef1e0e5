package e2e

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sockguard/e2e/engine"
)

// background starts a container from the common base image and returns its ID.
func (g *guard) background(t *testing.T, script string, flags ...string) string {
	t.Helper()
	args := append(append([]string{"run", "-d"}, flags...), e2e.common, "sh", "-c", script)
	return g.docker(t, args...).ok()
}

func TestContainersAreLabelled(t *testing.T) {
	need(t)
	g := newGuard(t)
	for name, flags := range map[string][]string{
		"plain":           nil,
		"own labels":      {"--label", "a=b"},
		"a foreign owner": {"--label", engine.OwnerLabel + "=evil"},
	} {
		r := g.docker(t, append(append([]string{"create"}, flags...), e2e.common)...)
		if r.code != 0 && name == "a foreign owner" {
			continue // refusing is as good as correcting
		}
		got := e2e.unguarded(t, "inspect", "-f", `{{index .Config.Labels "`+engine.OwnerLabel+`"}}`, r.ok())
		if got != g.owner {
			t.Errorf("%s: owner %q, want %q", name, got, g.owner)
		}
	}
}

func TestExec(t *testing.T) {
	need(t)
	g := newGuard(t)
	id := g.background(t, "sleep 300")
	if got := g.docker(t, "exec", "-e", "A=b", "-w", "/tmp", id, "sh", "-c", "echo $A $PWD").ok(); got != "b /tmp" {
		t.Errorf("exec says %q", got)
	}
	g.docker(t, "exec", id, "sh", "-c", "exit 9").exits(9)
	if got := g.docker(t, "exec", "-t", id, "tty").ok(); got != "tty 0x0\r" {
		t.Errorf("exec -t says %q", got)
	}
	in := pattern(2 << 20)
	if got := g.pipe(t, bytes.NewReader(in), "exec", "-i", id, "cat").exits(0).stdout; got != string(in) {
		t.Errorf("exec -i: %d bytes came back of %d, or not the same", len(got), len(in))
	}
	g.docker(t, "exec", "-d", id, "sh", "-c", "echo detached > /tmp/f").ok()
	eventually(t, func() bool { return g.docker(t, "exec", id, "cat", "/tmp/f").stdout == "detached\n" })
}

func TestLogsFollow(t *testing.T) {
	need(t)
	g := newGuard(t)
	id := g.background(t, "for i in 1 2 3; do echo line $i; sleep 0.5; done; echo late >&2")
	follow := g.command(t, e2e.docker, "logs", "-f", id)
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("line 1\n"))
	if _, err := io.ReadFull(out, first); err != nil {
		t.Fatal(err)
	}
	if got := g.docker(t, "inspect", "-f", "{{.State.Running}}", id).ok(); got != "true" {
		t.Errorf("the first line came only after the container's end")
	}
	rest, _ := io.ReadAll(out)
	if err := follow.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := string(first)+string(rest), "line 1\nline 2\nline 3\n"; got != want {
		t.Errorf("logs -f: got %q, want %q", got, want)
	}
	if r := g.docker(t, "logs", "--tail", "1", id); r.stdout+r.stderr != "late\n" {
		t.Errorf("logs --tail 1: got %q, %q", r.stdout, r.stderr)
	}
}

func TestCopyBothWays(t *testing.T) {
	need(t)
	g := newGuard(t)
	id := g.background(t, "sleep 300")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, pattern(3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	g.docker(t, "cp", "-q", in, id+":/tmp/file").ok()
	g.docker(t, "cp", "-q", id+":/tmp/file", out).ok()
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, pattern(3<<20)) {
		t.Errorf("the file came back different: %d bytes, %v", len(got), err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	w.WriteHeader(&tar.Header{Name: "streamed", Mode: 0o644, Size: 2, Typeflag: tar.TypeReg})
	io.WriteString(w, "ok")
	w.Close()
	g.pipe(t, &archive, "cp", "-", id+":/tmp").ok()
	r := tar.NewReader(strings.NewReader(g.docker(t, "cp", id+":/tmp/streamed", "-").exits(0).stdout))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "ok" {
		t.Errorf("the streamed file came back as %q, %v", b, err)
	}
}

func TestContainerLife(t *testing.T) {
	need(t)
	g := newGuard(t)
	id := g.background(t, "echo up; sleep 300", "--name", g.owner)
	state := func() string {
		return g.docker(t, "inspect", "-f", "{{.State.Status}} {{.RestartCount}} {{.Name}}", id).ok()
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"pause", id}, "paused 0 /" + g.owner},
		{[]string{"unpause", g.owner}, "running 0 /" + g.owner},
		{[]string{"restart", "-t", "1", id[:12]}, "running 0 /" + g.owner},
		{[]string{"rename", id, g.owner + "-b"}, "running 0 /" + g.owner + "-b"},
		{[]string{"update", "--cpus", "1", id}, "running 0 /" + g.owner + "-b"},
		{[]string{"stop", "-t", "1", id}, "exited 0 /" + g.owner + "-b"},
		{[]string{"start", id}, "running 0 /" + g.owner + "-b"},
		{[]string{"kill", id}, "exited 0 /" + g.owner + "-b"},
	} {
		g.docker(t, step.args...).ok()
		eventually(t, func() bool { return state() == step.want })
	}
	if got := g.docker(t, "wait", id).ok(); got != "137" {
		t.Errorf("wait says %q, want 137", got)
	}
	if got := g.docker(t, "diff", id).exits(0).stderr; got != "" {
		t.Errorf("diff says %q", got)
	}
	g.docker(t, "rm", id).ok()
	g.docker(t, "inspect", "--type", "container", id).fails("No such container")
}

func TestStatsAndTop(t *testing.T) {
	need(t)
	g := newGuard(t)
	id := g.background(t, "sleep 300")
	if got := g.docker(t, "stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}", id).ok(); got != id {
		t.Errorf("stats shows %q, want %q", got, id)
	}
	if got := g.docker(t, "stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}").ok(); got != id {
		t.Errorf("stats of all shows %q, want %q", got, id)
	}
	if got := g.docker(t, "top", id).ok(); !strings.Contains(got, "sleep 300") {
		t.Errorf("top shows %q", got)
	}
}

func TestEventsAreOnes(t *testing.T) {
	need(t)
	g := newGuard(t)
	events := g.command(t, e2e.docker, "events", "--format", "{{.Action}} {{.Actor.ID}}")
	var out syncBuffer
	events.Stdout = &out
	if err := events.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		events.Process.Kill()
		events.Wait()
	}()
	// The stream begins some time after the command does.
	var mine string
	eventually(t, func() bool {
		mine = g.docker(t, "run", "-d", e2e.common, "echo").ok()
		time.Sleep(200 * time.Millisecond)
		return strings.Contains(out.String(), "create "+mine)
	})
	foreign := e2e.unguarded(t, "create", e2e.common)
	e2e.unguarded(t, "rm", foreign)
	g.docker(t, "wait", mine).ok()
	g.docker(t, "rm", mine).ok()
	eventually(t, func() bool { return strings.Contains(out.String(), "destroy "+mine) })
	if strings.Contains(out.String(), foreign) {
		t.Errorf("events show a foreign container:\n%s", out.String())
	}
}

func TestCommitIsLabelled(t *testing.T) {
	need(t)
	g := newGuard(t)
	id := g.background(t, "echo kept > /kept")
	g.docker(t, "wait", id).ok()
	image := g.docker(t, "commit", id).ok()
	if got := e2e.unguarded(t, "inspect", "-f", `{{index .Config.Labels "`+engine.OwnerLabel+`"}}`, image); got != g.owner {
		t.Errorf("owner %q, want %q", got, g.owner)
	}
	if got := g.docker(t, "run", "--rm", image, "cat", "/kept").ok(); got != "kept" {
		t.Errorf("the committed image says %q", got)
	}
}
