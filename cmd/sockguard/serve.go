package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// newServe returns the command that guards sockets.
func newServe(args []string) *cobra.Command {
	var c config // its flags only say what was given; load reads them
	var file string
	var debug bool
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
		RunE: func(cmd *cobra.Command, _ []string) error {
			read := func() (*config, []settings, error) { return load(file, cmd.Flags(), os.LookupEnv) }
			s := &supervisor{read: read, file: file, debug: debug, legacy: isLegacy(args), out: cmd.OutOrStdout()}
			return s.run(cmd.Context())
		},
	}
	c.register(cmd.Flags())
	cmd.Flags().StringVar(&file, "config", os.Getenv("SOCKGUARD_CONFIG"), "YAML file with the same names")
	cmd.Flags().BoolVar(&debug, "debug", false, "log-level debug")
	cmd.Flags().MarkHidden("debug")
	cmd.Flags().SetNormalizeFunc(renameFlag)
	return cmd
}

// complete fills what a buildkite/sockguard command line leaves open.
func (s *settings) complete(legacy bool) {
	if legacy && s.Owner == "" {
		s.Owner = fmt.Sprintf("sockguard-pid-%d", os.Getpid())
	}
	if strings.HasPrefix(s.Upstream, "/") {
		s.Upstream = "unix://" + s.Upstream
	}
}
