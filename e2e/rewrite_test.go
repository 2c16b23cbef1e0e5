package e2e

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

// rewrite runs `sockguard rewrite`, which needs no engine.
func rewrite(t *testing.T, context []byte, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), e2e.binary, append([]string{"rewrite"}, args...)...)
	cmd.Stdin = bytes.NewReader(context)
	return finish(t, cmd)
}

// What the filter wrote, the engine builds with the owner's label everywhere.
func TestRewriteFilter(t *testing.T) {
	need(t)
	for _, tt := range []struct {
		name string
		args []string
		pack func(*testing.T, []byte) []byte
	}{
		{"plain", nil, func(_ *testing.T, b []byte) []byte { return b }},
		{"gzip, other file", []string{"--dockerfile", "sub/other"}, gzipped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, multiStage+"-- sub/other --\nFROM @BASE@ AS a\nRUN id\nFROM a\nRUN id\n")
			trace := e2e.trace(t)
			owner := "it's " + p.mark
			out := rewrite(t, tt.pack(t, p.tar(t)), append(tt.args, "--owner", owner)...).exits(0).stdout
			direct := &guard{host: e2e.host}
			direct.pipe(t, strings.NewReader(out), "build", "-f", ".sockguard.Dockerfile", "-").ok()
			p.checkOwned(t, trace, owner, 4, 4)
		})
	}
}

func TestRewriteRefuses(t *testing.T) {
	need(t)
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\nLABEL a=b \\\n  com.buildkite.sockguard.owner=evil\n")
	r := rewrite(t, p.tar(t), "--owner", "team-a").exits(1)
	if !strings.HasPrefix(r.stderr, "sockguard: ") || !strings.Contains(r.stderr, "line 2") {
		t.Errorf("the refusal says %q", r.stderr)
	}
}
