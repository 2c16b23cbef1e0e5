// Sockguard puts a guarded socket in front of a Docker Engine.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sockguard/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot(os.Args[1:]).ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "sockguard: %v\n", err)
		os.Exit(1)
	}
}

// newRoot returns the whole command line, ready to run args.
func newRoot(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "sockguard",
		Short: "A guarded socket in front of a Docker Engine",
		Long: `sockguard hands out a Docker socket whose holder sees and touches only what was
made through it, makes nothing that reaches the host, and leaves nothing without
an owner label, the containers and images of every docker build step included.`,
		Example: `  sockguard serve --listen unix://./guard.sock --owner team-a
  DOCKER_BUILDKIT=0 DOCKER_HOST=unix://./guard.sock docker build .

  tar c . | sockguard rewrite --owner team-a >labelled.tar`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(config.Modernize(args))
	root.AddCommand(newServe(args), newRewrite(), newExplain(), newRoutes())
	return root
}

// version is what the Go toolchain wrote into the binary: a release, or the
// commit of a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}

// A style colours text for people. The zero value leaves it plain.
type style struct{ colour bool }

// styleOf returns how to write to w, and whether w is a terminal. NO_COLOR is
// honoured (no-color.org).
func styleOf(w io.Writer) (s style, terminal bool) {
	f, ok := w.(*os.File)
	terminal = ok && term.IsTerminal(int(f.Fd()))
	return style{terminal && os.Getenv("NO_COLOR") == ""}, terminal
}

func (s style) good(text string) string { return s.paint("32", text) }
func (s style) bad(text string) string  { return s.paint("31", text) }
func (s style) dim(text string) string  { return s.paint("2", text) }

func (s style) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
