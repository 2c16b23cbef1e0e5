package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// e2e is the suite of this run; nil when there is no engine to run it on.
var e2e *suite

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	os.Exit(runSuite(m))
}

func runSuite(m *testing.M) int {
	ctx := context.Background()
	s, err := newSuite(ctx)
	if err != nil && (required() || s != nil) {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		s.close(ctx)
		return 1
	}
	if err != nil {
		banner(err)
		code := m.Run()
		banner(err)
		return code
	}
	e2e = s
	code := m.Run()
	if err := s.close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: cleaning up:", err)
		code = max(code, 1)
	}
	return code
}

// required reports whether tests that cannot run are failures.
func required() bool { return os.Getenv("SOCKGUARD_E2E") == "required" }

func banner(reason error) {
	line := strings.Repeat("*", 78)
	fmt.Fprintf(os.Stderr, "\n%s\n* LEFT OUT: ALL END-TO-END TESTS. Nothing was tried on a real Docker Engine.\n"+
		"* Why: %v\n* SOCKGUARD_E2E=required makes this a failure.\n%s\n\n", line, reason, line)
}

// need starts a test that runs beside the others, and only on an engine.
func need(t *testing.T) context.Context {
	t.Helper()
	if e2e == nil {
		t.Skip("LEFT OUT: no Docker Engine")
	}
	t.Parallel()
	return t.Context()
}
