package main

import (
	"fmt"
	"os/exec"
)

// rewriteAlone runs the Go benchmarks of the rewrite. Their output is for
// benchstat.
func (s *suite) rewriteAlone() error {
	s.say("rewrite: go test -bench")
	args := append([]string{"test", "-run=^$", "-bench=.", "-benchmem"}, pick(s, []string{"-short", "-benchtime=50ms"}, []string{"-benchtime=1s"})...)
	cmd := exec.CommandContext(s.ctx, "go", append(args, "sockguard/bench")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	s.report.Rewrite = string(out)
	return nil
}
