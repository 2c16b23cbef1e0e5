package policy

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/field/fieldtest"
)

func TestRoutesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Routes

<!-- Written by go test ./policy -update out of the table that decides. -->

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
	const path = "../docs/routes.md"
	want := b.String()
	if *fieldtest.Update {
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
