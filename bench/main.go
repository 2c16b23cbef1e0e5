// Bench measures sockguard as a user would judge it, against what a user would
// pick instead: in one run, on one machine, interleaved, so that the ratios
// mean something when the numbers do not.
//
//	go run ./bench [-short] [-only memory,requests] [-publish docs]
//
// It writes report.json, report.md and plots to bench/report.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "mock-engine":
		return runMockEngine(args[1])
	case len(args) == 4 && args[0] == "stand-in":
		return runStandIn(args[1], args[2], args[3])
	}
	o := options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.BoolVar(&o.short, "short", false, "under a minute: fewer sizes, rounds and contenders")
	f.StringVar(&o.only, "only", "", "some of "+strings.Join(partNames(), ",")+", separated by commas")
	f.StringVar(&o.contenders, "contenders", "", "some of the `names`, separated by commas, besides direct and sockguard")
	f.StringVar(&o.out, "out", "bench/report", "`directory` of the report")
	f.StringVar(&o.publish, "publish", "", "`directory` of documents to put the plots and benchmarks.md into as well")
	f.StringVar(&o.from, "from", "", "`file` report.json of a run to draw again, without a run")
	f.StringVar(&o.before, "before", "", "`file` report.json of an earlier run to compare with")
	f.StringVar(&o.guard, "guard", "", "`program` to measure instead of this tree's sockguard")
	f.StringVar(&o.beside, "beside", "", "`program` of another sockguard to measure as well")
	f.StringVar(&o.realSocket, "engine", "/var/run/docker.sock", "`socket` of a real engine")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.from != "" {
		r, err := readReport(o.from)
		if err != nil {
			return err
		}
		return o.write(r)
	}
	return o.bench(ctx)
}

// options are what the command line says.
type options struct {
	short                                                                   bool
	only, contenders, out, publish, from, before, guard, beside, realSocket string
}

// A part is one thing that is measured.
type part struct {
	name string
	run  func(*suite) error
}

func parts() []part {
	return []part{
		{"memory", (*suite).memory},
		{"throughput", (*suite).throughput},
		{"requests", (*suite).requests},
		{"streams", (*suite).streams},
		{"rewrite", (*suite).rewriteAlone},
	}
}

func partNames() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// bench runs the parts and writes the report.
func (o options) bench(ctx context.Context) error {
	if o.before != "" {
		if _, err := readReport(o.before); err != nil {
			return err // now, not after the run
		}
	}
	raiseFileLimit()
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &suite{options: o, ctx: ctx, dir: dir, began: time.Now()}
	defer s.stop()
	if err := s.prepare(); err != nil {
		return err
	}
	for _, p := range parts() {
		if !listed(o.only, p.name) {
			continue
		}
		if err := p.run(s); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := ctx.Err(); err != nil {
			return errors.New("interrupted")
		}
	}
	s.report.Took = time.Since(s.began).Round(time.Second).String()
	return o.write(&s.report)
}

// write writes the report where it was asked for.
func (o options) write(r *report) error {
	if o.before != "" {
		then, err := readReport(o.before)
		if err != nil {
			return err
		}
		r.Since = r.since(then)
	}
	return r.write(o.out, o.publish)
}

// listed reports whether a list names something; an empty one names everything.
func listed(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// A suite is one run of the benchmarks.
type suite struct {
	options
	ctx    context.Context
	dir    string // sockets, configurations
	began  time.Time
	engine *process // the mock engine

	rivals []*contender // direct is the first
	report report
}

// prepare builds what is measured and starts the mock engine.
func (s *suite) prepare() (err error) {
	s.report.Machine = describeMachine()
	if s.guard != "" {
		s.report.Machine.Commit = s.guard
	}
	if s.guard == "" {
		s.guard = filepath.Join(s.dir, guardName)
		s.say("building sockguard")
		cmd := exec.CommandContext(s.ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", s.guard, "sockguard/cmd/sockguard")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build sockguard: %w: %s", err, out)
		}
	}
	socket := filepath.Join(s.dir, "engine.sock")
	if s.engine, err = start(socket, nil, mockEngineCommand(socket)...); err != nil {
		return err
	}
	s.rivals = []*contender{direct(socket), guard(guardName, s.guard), haproxy(), standIn("Go ReverseProxy", "stream"), standIn(relayName, "relay")}
	if s.beside != "" {
		s.rivals = append(s.rivals, guard(besideName, s.beside))
	}
	for _, g := range goPeers {
		s.rivals = append(s.rivals, g.contender())
	}
	s.probe()
	return nil
}

// probe finds out which contenders run here, and says loudly which do not.
func (s *suite) probe() {
	var able []*contender
	for _, c := range s.rivals {
		if c.goPeer && s.short || c.Name != directName && c.Name != guardName && !listed(s.contenders, c.Name) {
			continue
		}
		p, err := c.start(s.dir, s.engine.socket)
		if err != nil {
			s.say("NOT MEASURED: %s: %v", c.Name, err)
			s.report.Skipped = append(s.report.Skipped, skipped{c.Name, strings.TrimSpace(err.Error())})
			continue
		}
		p.stop()
		able = append(able, c)
	}
	s.rivals = able
}

func (s *suite) stop() {
	if s.engine != nil {
		s.engine.stop()
	}
}

// say shows how far the run is.
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

// raiseFileLimit allows as many open files as ten thousand streams take, here
// and in the processes started from here, or as many as it may.
func raiseFileLimit() {
	const want = 65536
	l := syscall.Rlimit{Cur: want, Max: want}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l) != nil && syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}

// mostStreams is how many streams a proxy can carry, at two files for each.
func mostStreams() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return int(l.Cur-500) / 2
}
