package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sockguard/policy"
	"sockguard/policy/verdict"
)

// newRoutes returns the command that prints the route table.
func newRoutes() *cobra.Command {
	return &cobra.Command{
		Use:   "routes",
		Short: "Print every route of the Engine API with its verdict",
		Long: `Routes prints the table that decides: a route that is not in it is refused.

  pass    nothing in it is anybody's
  own     the object named must be the owner's
  use     the owner's object, or one that is shared by all
  list    the answer is filtered
  make    what is made is labelled
  local   answered by sockguard itself
  grant   own, list or make, where --allow-swarm opens it
  refuse  never forwarded`,
		Example: "  sockguard routes\n  sockguard routes | jq '.[] | select(.verdict == \"refuse\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			style, terminal := styleOf(w)
			if !terminal {
				type row struct {
					Method     string   `json:"method"`
					Route      string   `json:"route"`
					Verdict    string   `json:"verdict"`
					Parameters []string `json:"parameters"`
				}
				var rows []row
				for r := range policy.Routes() {
					rows = append(rows, row{r.Method, r.Pattern, string(r.Verdict), slices.Collect(strings.FieldsSeq(r.Params))})
				}
				enc := json.NewEncoder(w)
				enc.SetIndent("", "  ")
				return enc.Encode(rows)
			}
			for r := range policy.Routes() {
				color := style.good
				if r.Verdict == verdict.Refuse {
					color = style.bad
				}
				fmt.Fprintf(w, "%-7s %-42s %s  %s\n", r.Method, r.Pattern, color(fmt.Sprintf("%-6s", r.Verdict)), style.dim(r.Params))
			}
			return nil
		},
	}
}
