// Demo builds a sample project through sockguard and once more without it, and
// prints what each build made and whose it is. Where no engine answers it shows
// what `sockguard rewrite` does to the same build context.
//
// It compiles sockguard first, and removes what it made.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/moby/moby/client"

	"sockguard/e2e/engine"
)

const owner = "team-a"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // "demo | head" cleans up too
	if err := run(ctx, newPrinter(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p *printer) error {
	root, err := engine.ModuleRoot()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "sockguard-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p.line("Compiling sockguard ...")
	binary := filepath.Join(dir, "sockguard")
	if err := engine.GoBuild(ctx, "./cmd/sockguard", binary); err != nil {
		return err
	}
	sample := filepath.Join(root, "e2e", "demo", "sample")
	api, err := engine.Connect(ctx, engine.Host())
	if err != nil {
		p.noEngine(err)
		return showRewrite(ctx, p, binary, sample)
	}
	defer api.Close()
	d := demo{
		printer: p, engine: api, dir: dir, binary: binary, sample: sample,
		mark: "demo-" + strings.ToLower(rand.Text()[:8]),
	}
	defer d.cleanUp()
	return d.compare(ctx)
}

// A demo is one comparison on an engine.
type demo struct {
	*printer
	engine *client.Client
	dir    string // holds the guarded socket and the program
	binary string // the program
	sample string
	mark   string // of all images the demo makes
}

func (d *demo) base() string { return "sockguard-demo/base:" + d.mark }

func (d *demo) compare(ctx context.Context) error {
	d.line("Making a base image: one static Go program, imported without a label ...")
	base, err := engine.NewBase(ctx)
	if err != nil {
		return err
	}
	if err := base.Import(ctx, d.engine, d.base(), engine.Mark(d.mark)); err != nil {
		return err
	}
	guarded, stop, err := d.guard(ctx)
	if err != nil {
		return err
	}
	defer stop()

	d.line("Building e2e/demo/sample through sockguard ...")
	with, err := d.build(ctx, guarded)
	if err != nil {
		return err
	}
	d.line("Building it again, straight on the engine ...")
	without, err := d.build(ctx, d.engine)
	if err != nil {
		return err
	}
	d.table(with, without)
	return nil
}

// guard starts sockguard on a socket of its own and returns a client of it and
// what ends it.
func (d *demo) guard(ctx context.Context) (*client.Client, func(), error) {
	socket := "unix://" + filepath.Join(d.dir, "guard.sock")
	args := []string{"serve", "--owner", owner, "--upstream", engine.Host(), "--listen", socket, "--show-label-steps"}
	var log strings.Builder
	cmd := exec.Command(d.binary, args...)
	cmd.Stderr = &log
	d.command("sockguard " + strings.Join(args[:5], " ") + " \\\n    " + strings.Join(args[5:], " "))
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop := func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}
	c, err := engine.Await(ctx, socket)
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("%w\n%s", err, log.String())
	}
	return c, stop, nil
}

// cleanUp removes every image of the demo, also after an interrupt.
func (d *demo) cleanUp() {
	if err := engine.RemoveMarked(context.Background(), d.engine, d.mark); err != nil {
		d.line("clean up: " + err.Error())
	}
}
