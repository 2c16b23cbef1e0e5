package main

import (
	"fmt"
	"os/exec"
)

// rewriteAlone runs the Go benchmarks of the rewrite. Their output is for
// benchstat.
func (s *suite) rewriteAlone() error {
	s.say("rewrite: go test -bench")
	cmd := exec.CommandContext(s.ctx, "go", "test", "-run=^$", "-bench=.", "-benchmem", "-benchtime="+pick(s, "100ms", "1s"), "sockguard/bench")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	s.report.Rewrite = string(out)
	return nil
}
