package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// renamed are the flags of buildkite/sockguard by their present names. They
// work as before, with one dash or two, with or without the word serve.
var renamed = map[string]string{
	"filename":                     "listen",
	"mode":                         "socket-mode",
	"uid":                          "socket-user",
	"gid":                          "socket-group",
	"upstream-socket":              "upstream",
	"owner-label":                  "owner",
	"allow-host-mode-networking":   "allow-host-network",
	"user":                         "force-user",
	"docker-link":                  "link",
	"container-join-network":       "join-network",
	"container-join-network-alias": "join-alias",
}

// renameFlag is a pflag.NormalizedName function.
func renameFlag(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if now, ok := renamed[name]; ok {
		name = now
	}
	return pflag.NormalizedName(name)
}

// Modernize makes a command line of buildkite/sockguard one of today: flags
// without a command belong to serve, and long flags take two dashes.
func Modernize(args []string) []string {
	if len(args) == 0 || !strings.HasPrefix(args[0], "-") || slices.Contains([]string{"-h", "-help", "--help", "-v", "--version"}, args[0]) {
		return args
	}
	out := []string{"serve"}
	for _, a := range args {
		if len(a) > 2 && a[0] == '-' && a[1] >= 'a' && a[1] <= 'z' {
			a = "-" + a
		}
		out = append(out, a)
	}
	return out
}

// isLegacy reports whether a flag was given by a name of buildkite/sockguard,
// whose scripts read its start-up line and count on its default owner.
func isLegacy(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		_, old := renamed[name]
		return old && strings.HasPrefix(a, "-")
	})
}

// complete fills in what a command line of buildkite/sockguard may leave out: an
// owner, and the scheme of the engine's address.
func (s *Settings) complete(legacy bool) {
	if legacy && s.Owner == "" {
		s.Owner = fmt.Sprintf("sockguard-pid-%d", os.Getpid())
	}
	if strings.HasPrefix(s.Upstream, "/") {
		s.Upstream = "unix://" + s.Upstream
	}
}
