package fieldtest

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/field"
)

// Update is the flag -update, which rewrites golden files and pages.
var Update = flag.Bool("update", false, "rewrite golden files and the tables in docs/")

// Page compares the table below a heading of docs/hostconfig.md with what the
// fields say today.
func Page[D field.Draft](t *testing.T, heading string, table field.Table[D]) {
	t.Helper()
	const path = "../../docs/hostconfig.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	intro, got, ok := strings.Cut(section, "| Field |")
	if !found || !ok {
		t.Fatalf("%s has no table below %q", path, heading)
	}
	got, after, next := strings.Cut("| Field |"+got, "\n\n")
	if !next {
		got = strings.TrimSuffix(got, "\n")
	}
	want := rows(table)
	if *Update {
		page := before + "\n## " + heading + "\n" + intro + want + "\n"
		if next {
			page += "\n" + after
		}
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is stale; go test -run %s -update\n%s", path, t.Name(), diff)
	}
}

// rows returns the fields as a Markdown table.
func rows[D field.Draft](table field.Table[D]) string {
	lines := []string{"| Field | Verdict | Why | Opened by | API |", "| --- | --- | --- | --- | --- |"}
	for _, f := range table {
		api, grant := "", ""
		if f.Since != "" || f.Until != "" {
			api = strings.TrimSpace(f.Since + " to " + f.Until)
		}
		if f.Grant != "" {
			grant = "`" + f.Grant + "`"
		}
		lines = append(lines, fmt.Sprintf("| `%s` | %s | %s | %s | %s |", f.Name, f.Verdict, f.Why, grant, api))
	}
	return strings.Join(lines, "\n")
}
