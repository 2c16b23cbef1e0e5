package e2e

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// pattern returns n bytes without structure, the same ones every time.
func pattern(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

func TestRun(t *testing.T) {
	need(t)
	g := newGuard(t)
	sh := func(script string) []string { return []string{"sh", "-c", script} }
	for _, tt := range []struct {
		name           string
		flags, command []string
		stdin          []byte
		stdout, stderr string
		code           int
	}{
		{name: "output", command: []string{"cat", "/root/../etc/../bin/../etc/hostname"}, flags: []string{"--hostname", "h"}, stdout: "h\n"},
		{name: "both outputs and status", command: sh("echo out; echo err >&2; exit 42"), stdout: "out\n", stderr: "err\n", code: 42},
		{name: "stdin unasked", command: []string{"wc"}, stdin: []byte("lost"), stdout: "0\n"},
		{name: "stdin ends", flags: []string{"-i"}, command: []string{"wc"}, stdin: []byte("12345"), stdout: "5\n"},
		{name: "both ways at once", flags: []string{"-i"}, command: []string{"cat"}, stdin: pattern(4 << 20), stdout: string(pattern(4 << 20))},
		{name: "tty", flags: []string{"-t"}, command: []string{"tty"}, stdout: "tty 0x0\r\n"},
		{name: "environment", flags: []string{"-e", "A=b c", "-w", "/tmp", "-u", "7:8"}, command: sh("echo $A $PWD; id"), stdout: "b c /tmp\n7:8\n"},
		{name: "read-only", flags: []string{"--read-only", "--tmpfs", "/t"}, command: sh("echo x > /t/x; cat /t/x; touch /x 2>/dev/null || echo no"), stdout: "x\nno\n"},
		{name: "limits", flags: []string{"-m", "64m", "--cpus", "1", "--pids-limit", "50", "--init"}, command: []string{"id"}, stdout: "0:0\n"},
		{name: "no network", flags: []string{"--network", "none"}, command: sh("wget http://127.0.0.1:1/ 2>/dev/null & sleep 0.1; echo done"), stdout: "done\n"},
		{name: "no such command", command: []string{"/nonesuch"}, stderr: "nonesuch", code: 127},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := slices.Concat([]string{"run", "--rm"}, tt.flags, []string{e2e.common}, tt.command)
			got := g.pipe(t, bytes.NewReader(tt.stdin), args...).exits(tt.code)
			if got.stdout != tt.stdout {
				t.Errorf("stdout: got %.200q, want %.200q", got.stdout, tt.stdout)
			}
			if !strings.Contains(got.stderr, tt.stderr) {
				t.Errorf("stderr: got %.200q, want %.200q in it", got.stderr, tt.stderr)
			}
		})
	}
}

func TestRunWithoutSuchAnImage(t *testing.T) {
	need(t)
	g := newGuard(t)
	g.docker(t, "run", "--rm", "--pull", "never", e2e.name("nonesuch")).fails("No such image")
}
