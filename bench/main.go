// Bench measures sockguard beside what a user could run instead: HAProxy with
// the rules of the usual socket proxy, httputil.ReverseProxy and other socket
// proxies. All run on one machine and take turns, so that their ratios hold on
// any machine.
//
//	go run ./bench [-short] [-only memory,requests] [-before BINARY] [-peers DIR] [-publish docs]
//
// It writes report.json, report.md and plots to bench/report.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
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

// run runs the benchmarks, or one of the servers that the benchmarks start as
// processes of their own.
func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "mock-engine":
		return runMockEngine(args[1])
	case len(args) == 4 && args[0] == "stand-in":
		return runStandIn(args[1], args[2], args[3])
	}
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.BoolVar(&o.short, "short", false, "about a minute: fewer sizes and rounds")
	f.StringVar(&o.only, "only", "", "some of the parts "+strings.Join(partNames(), ",")+", separated by commas")
	f.StringVar(&o.before, "before", "", "`binary` of another sockguard, measured in the same run (build it with CGO_ENABLED=0 -trimpath -ldflags='-s -w', as this one is)")
	f.StringVar(&o.peers, "peers", "", "`directory` of the binaries "+strings.Join(peerBinaries(), ", "))
	f.StringVar(&o.out, "out", "bench/report", "`directory` of the report")
	f.StringVar(&o.publish, "publish", "", "`directory` that gets the report, as benchmarks.md, and the plots too")
	if err := f.Parse(args); err != nil {
		return err
	}
	return o.bench(ctx)
}

// options are the flags.
type options struct {
	short                             bool
	only, before, peers, out, publish string
}

// A part is a group of measurements.
type part struct {
	name string
	run  func(*suite) error
}

func parts() []part {
	return []part{
		{"memory", (*suite).memory},
		{"contexts", (*suite).contexts},
		{"requests", (*suite).requests},
		{"streams", (*suite).streams},
		{"rewrite", (*suite).rewrite},
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
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &suite{options: o, ctx: ctx, dir: dir, began: time.Now()}
	defer s.close()
	if err := s.prepare(); err != nil {
		return err
	}
	for _, p := range parts() {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), p.name) {
			continue
		}
		if err := p.run(s); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	s.report.Took = time.Since(s.began).Round(time.Second).String()
	return s.report.write(o.out, o.publish)
}
