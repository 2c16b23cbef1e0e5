package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sockguard/config"
	"sockguard/proxy"
)

// newExplain returns the command that decides a request without sending it.
func newExplain() *cobra.Command {
	var body string
	var query []string
	cmd := &cobra.Command{
		Use:   "explain METHOD PATH",
		Short: "Say what would happen to a request, and why",
		Long: `Explain decides one request under the settings of serve and shows the decision,
its rule, and the request as the engine would get it. Nothing is sent but look-ups
of the objects that the request names. With several guards in the file of serve,
the first one decides.`,
		Example: `  sockguard explain --owner team-a GET /containers/web/json
  sockguard explain --owner team-a POST /containers/create --body create.json
  sockguard explain --owner team-a POST /build --query networkmode=host`,
		Args: cobra.ExactArgs(2),
	}
	source := config.NewSource(cmd.Flags(), nil)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := source.Load()
		if err != nil {
			return err
		}
		guard, err := c.Guards[0].Guard(slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		target, err := target(args[1], query)
		if err != nil {
			return err
		}
		text, err := readBody(cmd.InOrStdin(), body)
		if err != nil {
			return err
		}
		e, err := guard.Explain(cmd.Context(), strings.ToUpper(args[0]), target, text)
		if err != nil {
			return err
		}
		return show(cmd.OutOrStdout(), e)
	}
	cmd.Flags().StringVar(&body, "body", "", "file with the JSON body, - for standard input")
	cmd.Flags().StringArrayVar(&query, "query", nil, "parameter NAME=VALUE (repeatable)")
	return cmd
}

func target(path string, query []string) (*url.URL, error) {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, fmt.Errorf("path %s: write it as in /v1.41/containers/json: %w", path, err)
	}
	for _, q := range query {
		name, value, _ := strings.Cut(q, "=")
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+url.QueryEscape(name)+"="+url.QueryEscape(value), "&")
	}
	return u, nil
}

func readBody(stdin io.Reader, file string) ([]byte, error) {
	switch file {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(stdin)
	}
	return os.ReadFile(file)
}

// show prints an explanation: for people on a terminal, as JSON off it.
func show(w io.Writer, e *proxy.Explanation) error {
	style, terminal := styleOf(w)
	if !terminal {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	}
	colour := style.good
	if e.Verdict == "deny" {
		colour = style.bad
	}
	fmt.Fprintf(w, "%s  %s\n", colour(strings.ToUpper(e.Verdict)), e.Route)
	for _, line := range [][2]string{{"rule", e.Rule}, {"client reads", e.Message}, {"log says", e.Reason}} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-13s %s\n", line[0], line[1])
		}
	}
	for _, r := range e.Before {
		showRequest(w, "first", &r)
	}
	if e.Request != nil {
		showRequest(w, "engine gets", e.Request)
	}
	for _, r := range e.After {
		showRequest(w, "then", &r)
	}
	if e.Context {
		fmt.Fprintln(w, "  the build context is rewritten as it streams")
	}
	if e.Load {
		fmt.Fprintln(w, "  the images of the archive are labelled as it streams")
	}
	if e.Filtered {
		fmt.Fprintln(w, "  the answer is filtered")
	}
	return nil
}

func showRequest(w io.Writer, title string, r *proxy.Rewritten) {
	fmt.Fprintf(w, "  %-13s %s %s\n", title, r.Method, r.Path)
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		for _, v := range r.Query[name] {
			fmt.Fprintf(w, "  %13s   %s = %s\n", "", name, v)
		}
	}
	if r.Body != nil {
		text, err := json.MarshalIndent(r.Body, strings.Repeat(" ", 18), "  ")
		if err != nil {
			text = r.Body
		}
		fmt.Fprintf(w, "  %13s   %s\n", "", text)
	}
}
