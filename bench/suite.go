package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A suite is one run of the benchmarks.
type suite struct {
	options
	ctx    context.Context
	dir    string // sockets and configuration files
	began  time.Time
	mock   *process // the mock engine
	rivals []runner // the first is the engine's own socket
	report report
}

// skipped is what is not measured.
type skipped struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// A runner is a contender that runs.
type runner struct {
	*contender
	*process
}

// prepare builds sockguard and starts the mock engine and the contenders. Another
// contender than sockguard is skipped if it does not start.
func (s *suite) prepare() error {
	s.report.Machine = describeMachine()
	s.say("building sockguard")
	guard := filepath.Join(s.dir, guardName)
	cmd := exec.CommandContext(s.ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", guard, "sockguard/cmd/sockguard")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build sockguard: %w: %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	socket := filepath.Join(s.dir, "engine.sock")
	if s.mock, err = start(socket, nil, self, "mock-engine", socket); err != nil {
		return err
	}
	all := []*contender{{name: directName}, sockguard(guardName, guard)}
	if s.before != "" {
		all = append(all, sockguard(beforeName, s.before))
	}
	all = append(all, haproxy(), standIn(reverseProxyName, self, "stream"))
	if s.peers == "" {
		s.skip("other socket proxies", errors.New("no -peers"))
	} else {
		all = append(all, peers(s.peers)...)
	}
	for _, c := range all {
		p, err := c.start(s.dir, socket)
		if err != nil && c.name == guardName {
			return err
		}
		if err != nil {
			s.skip(c.name, err)
			continue
		}
		s.rivals = append(s.rivals, runner{c, p})
	}
	return nil
}

// skip reports what is not measured.
func (s *suite) skip(name string, why error) {
	s.say("NOT MEASURED: %s: %v", name, why)
	s.report.Skipped = append(s.report.Skipped, skipped{name, strings.TrimSpace(why.Error())})
}

// guards are sockguard and, where it is given, the one before.
func (s *suite) guards() (all []*contender) {
	for _, r := range s.rivals {
		if r.name == guardName || r.name == beforeName {
			all = append(all, r.contender)
		}
	}
	return all
}

func (s *suite) close() {
	for _, r := range s.rivals {
		r.stop()
	}
	if s.mock != nil {
		s.mock.stop()
	}
}

// say shows progress.
func (s *suite) say(format string, args ...any) {
	d := time.Since(s.began)
	fmt.Fprintf(os.Stderr, "%d:%02d  %s\n", int(d.Minutes()), int(d.Seconds())%60, fmt.Sprintf(format, args...))
}

// pick returns a when the run is short, b otherwise.
func pick[T any](s *suite, a, b T) T {
	if s.short {
		return a
	}
	return b
}
