package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"sockguard/config"
)

// newServe returns the command that guards sockets.
func newServe(args []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve --owner OWNER",
		Short: "Guard a socket",
		Long: `Serve puts up a guarded socket in front of an engine and answers on it until it
is interrupted. The engine is taken from DOCKER_HOST, with DOCKER_CERT_PATH and
DOCKER_TLS_VERIFY for tcp://, unless --upstream names one.

Every flag is also a variable (--socket-mode is SOCKGUARD_SOCKET_MODE) and a key
of the YAML file that --config names, which may hold several guards. The file is
read again when it changes and on SIGHUP; connections stay.`,
		Example: `  sockguard serve --owner team-a
  sockguard serve --owner team-a --listen unix:///run/sockguard/team-a.sock --socket-mode 0660 --socket-group docker
  sockguard serve --owner team-a --allow-bind /srv/work --max-memory 2g
  sockguard serve --config /etc/sockguard.yaml`,
		Args: cobra.NoArgs,
	}
	source := config.NewSource(cmd.Flags(), args)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(200) // half the collections of a heap that stays small
		}
		return config.Serve(cmd.Context(), source, cmd.OutOrStdout())
	}
	return cmd
}
