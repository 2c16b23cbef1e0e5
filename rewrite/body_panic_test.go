package rewrite_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sockguard/rewrite"
)

// A panic in a rewrite ends its body and nothing else. The test runs itself in a
// process of its own, which a panic of any goroutine ends.
func TestBodyPanics(t *testing.T) {
	const child = "SOCKGUARD_TEST_PANIC"
	if os.Getenv(child) != "" {
		for _, read := range []func(*rewrite.Body) error{
			func(b *rewrite.Body) error { _, err := io.ReadAll(b); return err },
			func(b *rewrite.Body) error { _, err := b.WriteTo(new(bytes.Buffer)); return err },
		} {
			b := rewrite.NewBody(io.NopCloser(strings.NewReader("")), func(io.Writer, io.Reader) error { panic("boom") })
			if err := read(b); err == nil || errors.Is(err, io.EOF) || b.Err() == nil {
				t.Errorf("a body whose rewrite panicked ends with %v, and says %v", err, b.Err())
			}
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("a panic in a rewrite: %v\n%.1000s", err, out)
	}
}
