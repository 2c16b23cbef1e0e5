package policy

import (
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/container"
	"sockguard/policy/field"
	"sockguard/policy/swarm"
)

// document compares a page of docs/ with what the tables say today.
func document(t *testing.T, name, want string) {
	t.Helper()
	path := "../docs/" + name
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale; go test ./policy -run %s -update\n%s", path, t.Name(), diff)
	}
}

const generated = "<!-- Written by go test ./policy -update out of the tables that decide. -->\n"

// rows are fields as a Markdown table.
func rows[D field.Draft](fields iter.Seq[field.Field[D]]) string {
	var b strings.Builder
	b.WriteString("| Field | Verdict | Why | Opened by | API |\n| --- | --- | --- | --- | --- |\n")
	for f := range fields {
		api := ""
		if f.Since != "" || f.Until != "" {
			api = strings.TrimSpace(f.Since + " to " + f.Until)
		}
		grant := ""
		if f.Grant != "" {
			grant = "`" + f.Grant + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Verdict, f.Why, grant, api)
	}
	return b.String()
}

func TestHostConfigPage(t *testing.T) {
	page := "# What a container may ask for\n\n" + generated + `
Every field of the body of ` + "`POST /containers/create`" + `, of Engine 20.10 to 29, with what happens to it when it is set. A value of null, false, 0, "", [] or {} counts as not set, but for ` + "`MaskedPaths` and `ReadonlyPaths`" + `, where [] is a value.

- **allowed**: goes to the engine as it is.
- **checked**: goes to the engine if its value is one that stays inside the container or is the owner's, or that a flag of the operator opens.
- **refused**: 403, whatever the value.
- **dropped**: does not go to the engine, which would not read it or must not.

A field that is in neither table is refused by name; ` + "`--allow-key`" + ` lets one through.

## HostConfig

` + rows(container.HostConfigTable()) + "\n## Config\n\n" + rows(container.ConfigTable()) + "\n## Services\n\nThe `ContainerSpec` of a service, where `--allow-swarm` opens the swarm API.\n\n" + rows(swarm.ContainerSpecTable())
	document(t, "hostconfig.md", page)
}

func TestRoutesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Routes\n\n" + generated + `
Every route of Engine 20.10 to 29 with its verdict. A route that is not here, and a query parameter that is not listed for its route, is refused.

| Verdict | Meaning |
| --- | --- |
| pass | nothing in it is anybody's |
| own | the object named must be the owner's |
| use | the owner's object, or one that is shared by all |
| list | the answer is filtered |
| make | what is made is labelled |
| local | answered by sockguard itself |
| grant | own, list or make, where ` + "`--allow-swarm`" + ` opens it |
| refuse | never forwarded |

| Method | Route | Verdict | Parameters |
| --- | --- | --- | --- |
`)
	for r := range Routes() {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", r.Method, r.Pattern, r.Verdict, r.Params)
	}
	document(t, "routes.md", b.String())
}
