package main

import (
	"fmt"
	"os/exec"
)

// rewrite runs the Go benchmarks of this package: the rewrite without sockets. The
// report has their output as benchstat reads it.
func (s *suite) rewrite() error {
	s.say("rewrite: go test -bench")
	args := append([]string{"test", "-run=^$", "-bench=.", "-benchmem"}, pick(s, []string{"-short", "-benchtime=50ms"}, []string{"-benchtime=1s"})...)
	out, err := exec.CommandContext(s.ctx, "go", append(args, "sockguard/bench")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	s.report.Rewrite = string(out)
	return nil
}
