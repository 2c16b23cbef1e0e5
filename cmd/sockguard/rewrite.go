package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sockguard/config"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
)

// newRewrite returns the command that rewrites one context without an engine.
func newRewrite() *cobra.Command {
	var (
		owner, key   string
		path, engine string
		buildArgs    []string
	)
	cmd := &cobra.Command{
		Use:   "rewrite --owner OWNER <context.tar >out.tar",
		Short: "Rewrite a build context from standard input to standard output",
		Long: `Rewrite copies a build context and adds what a guarded build adds: a LABEL with
the owner after every FROM, in .sockguard.Dockerfile at the end of the archive.
The context may be a tar or a tar compressed with gzip, bzip2, xz or zstd; what
comes out is a plain tar. It streams: memory does not grow with the context.

What is refused ends with exit status 1 and an archive that is cut short.`,
		Example: `  tar c . | sockguard rewrite --owner team-a | docker build -f .sockguard.Dockerfile -
  sockguard rewrite --owner team-a --dockerfile build/Dockerfile <context.tar.gz >out.tar`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := config.CheckOwner(owner, key); err != nil {
				return err
			}
			_, err := buildcontext.Rewrite(cmd.OutOrStdout(), cmd.InOrStdin(), buildcontext.Options{
				Dockerfile: path,
				Rewrite: dockerfile.Options{
					Labels:    []rewrite.Label{{Key: key, Value: owner}},
					Guarded:   []string{key},
					Engine:    rewrite.ParseEngineVersion(engine),
					BuildArgs: args(buildArgs, os.LookupEnv),
				},
			})
			return err
		},
	}
	config.RegisterOwner(cmd.Flags(), &owner, &key)
	cmd.Flags().StringVar(&path, "dockerfile", "", `path of the Dockerfile in the context (default "Dockerfile")`)
	cmd.Flags().StringVar(&engine, "engine-version", "", "release of the engine that will build, as in 28.5; without it the file must read the same on all")
	cmd.Flags().StringArrayVar(&buildArgs, "build-arg", nil, "build argument NAME=VALUE that a FROM uses, or NAME from the environment (repeatable)")
	return cmd
}

// args reads build arguments as docker build does: a name without a value takes
// it from the environment, and without one there is named only.
func args(given []string, environ func(string) (string, bool)) map[string]*string {
	m := make(map[string]*string, len(given))
	for _, arg := range given {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			value, ok = environ(name)
		}
		m[name] = nil
		if ok {
			m[name] = &value
		}
	}
	return m
}
