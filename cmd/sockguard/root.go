package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

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
	root.SetArgs(modernize(args))
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
