package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// e2e is the suite of this run.
var e2e *suite

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	os.Exit(runSuite(m))
}

func runSuite(m *testing.M) int {
	configure()
	if testing.Short() && !required() {
		return leaveOut(m, "-short was given")
	}
	ctx := context.Background()
	s, err := newSuite(ctx)
	if err != nil && (required() || s != nil) {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		s.close(ctx)
		return 1
	}
	if err != nil {
		return leaveOut(m, err.Error())
	}
	e2e = s
	code := m.Run()
	if err := s.close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: cleaning up:", err)
		code = max(code, 1)
	}
	return code
}

// configure sets flags of go test. The tests wait for the engine more than they
// compute, so four run at once even on fewer processors. Their result is not
// cached, since the engine is not among the inputs that go test knows: without
// a log of the inputs it keeps no result.
func configure() {
	flag.Parse()
	flag.Set("test.testlogfile", "")
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		flag.Set("test.parallel", strconv.Itoa(max(4, runtime.GOMAXPROCS(0))))
	}
}

// required reports whether tests that cannot run are failures.
func required() bool { return os.Getenv("SOCKGUARD_E2E") == "required" }

// leaveOut runs no test and says so: go test marks the package with
// "[no tests to run]" and shows nothing else of a package that passes, so the
// reason goes to the terminal too.
func leaveOut(m *testing.M, reason string) int {
	flag.Set("test.run", "^$")
	code := m.Run()
	var w io.Writer = os.Stderr
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		defer tty.Close()
		w = tty
	}
	line := strings.Repeat("*", 78)
	fmt.Fprintf(w, "\n%s\n* LEFT OUT: ALL END-TO-END TESTS. Nothing was tried on a real Docker Engine.\n"+
		"* Why: %s\n* SOCKGUARD_E2E=required makes a missing engine a failure.\n%s\n\n", line, reason, line)
	return code
}

// need starts a test that runs beside the others.
func need(t *testing.T) context.Context {
	t.Helper()
	t.Parallel()
	return t.Context()
}
