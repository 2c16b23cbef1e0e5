package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sockguard/policy"
	"sockguard/proxy"
)

// defaultEngine is where an engine listens unless DOCKER_HOST says otherwise.
const defaultEngine = "unix:///var/run/docker.sock"

// serveFlags are the flags of serve.
type serveFlags struct {
	owner                     ownerFlags
	listen, upstream          string
	mode, group               string
	cgroupParent              string
	allowHostNetwork          bool
	allowBind                 []string
	maxContextBytes, maxFiles int64
	logLevel, logFormat       string
}

// newServe returns the command that guards a socket.
func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve --owner OWNER",
		Short: "Guard a socket",
		Long: `Serve puts up a guarded socket in front of an engine and answers on it until it
is interrupted. The engine is taken from DOCKER_HOST, with DOCKER_CERT_PATH and
DOCKER_TLS_VERIFY for tcp://, unless --upstream names one.`,
		Example: `  sockguard serve --owner team-a
  sockguard serve --owner team-a --listen unix:///run/sockguard/team-a.sock --socket-mode 0660 --socket-group docker
  sockguard serve --owner team-a --upstream tcp://engine:2376`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.register(cmd)
	return cmd
}

func (f *serveFlags) register(cmd *cobra.Command) {
	s := cmd.Flags()
	f.owner.register(s)
	s.StringVar(&f.listen, "listen", "unix://./sockguard.sock", "address of the guarded socket, unix://PATH or tcp://HOST:PORT")
	s.StringVar(&f.upstream, "upstream", cmp.Or(os.Getenv("DOCKER_HOST"), defaultEngine), "address of the engine")
	s.StringVar(&f.mode, "socket-mode", "0600", "permissions of the socket file, octal")
	s.StringVar(&f.group, "socket-group", "", "group of the socket file, name or number")
	s.StringVar(&f.cgroupParent, "cgroup-parent", "", "cgroup of all containers, of builds too")
	s.BoolVar(&f.allowHostNetwork, "allow-host-network", false, "permit network mode host")
	s.StringArrayVar(&f.allowBind, "allow-bind", nil, "host path that containers may mount, PATH or PATH:ro (repeatable)")
	s.Int64Var(&f.maxContextBytes, "max-context-bytes", 0, "size of a build context after decompression, 0 for any")
	s.Int64Var(&f.maxFiles, "max-context-entries", 0, "number of entries of a build context, 0 for any")
	s.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	s.StringVar(&f.logFormat, "log-format", "", "text or json (default: text on a terminal, json off it)")
}

func (f *serveFlags) run(cmd *cobra.Command) error {
	if err := f.owner.check(); err != nil {
		return err
	}
	log, err := f.logger()
	if err != nil {
		return err
	}
	p, err := f.policy()
	if err != nil {
		return err
	}
	upstream, err := proxy.NewUpstream(f.upstream, proxy.TLSFiles{
		CertPath: os.Getenv("DOCKER_CERT_PATH"),
		Verify:   os.Getenv("DOCKER_TLS_VERIFY") != "",
		Enabled:  os.Getenv("DOCKER_TLS") != "",
	})
	if err != nil {
		return err
	}
	options, err := f.listenOptions()
	if err != nil {
		return err
	}
	ln, err := proxy.Listen(f.listen, options)
	if err != nil {
		return err
	}
	log.Info("guarding", "listen", f.listen, "upstream", upstream.String(), "owner", p.Owner, "label", p.LabelKey)
	return proxy.NewGuard(p, upstream, log).Serve(cmd.Context(), ln)
}

func (f *serveFlags) policy() (*policy.Policy, error) {
	p := &policy.Policy{
		Owner:             f.owner.owner,
		LabelKey:          f.owner.key,
		CgroupParent:      f.cgroupParent,
		MaxContextBytes:   f.maxContextBytes,
		MaxContextEntries: f.maxFiles,
	}
	p.HostNetwork = f.allowHostNetwork
	for _, text := range f.allowBind {
		path, readOnly := strings.CutSuffix(text, ":ro")
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("--allow-bind %s: write an absolute path, as in /srv/work or /srv/work:ro", text)
		}
		p.Binds = append(p.Binds, policy.BindGrant{Path: filepath.Clean(path), ReadOnly: readOnly})
	}
	return p, nil
}

func (f *serveFlags) listenOptions() (proxy.ListenOptions, error) {
	o := proxy.ListenOptions{UID: -1, GID: -1}
	mode, err := strconv.ParseUint(f.mode, 8, 32)
	if err != nil || mode == 0 || mode > 0o777 {
		return o, fmt.Errorf("--socket-mode %s: write octal permissions, as in 0660", f.mode)
	}
	o.Mode = fs.FileMode(mode)
	if f.group != "" {
		if o.GID, err = groupID(f.group); err != nil {
			return o, fmt.Errorf("--socket-group %s: %w", f.group, err)
		}
	}
	return o, nil
}

// groupID resolves a group by number or by name.
func groupID(group string) (int, error) {
	if id, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(id), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("%w; a number always works", err)
	}
	return strconv.Atoi(g.Gid)
}

// logger logs to standard error, as text for people and as JSON for programs.
func (f *serveFlags) logger() (*slog.Logger, error) {
	var o slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %s: use debug, info, warn or error", f.logLevel)
	}
	o.Level = level
	if f.logFormat == "" {
		f.logFormat = "json"
		if term.IsTerminal(int(os.Stderr.Fd())) {
			f.logFormat = "text"
		}
	}
	switch f.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, &o)), nil
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, &o)), nil
	}
	return nil, fmt.Errorf("--log-format %s: use text or json", f.logFormat)
}
