package scrub

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// An engine has objects by ID or name.
type engine struct {
	verdict.Inspector
	asked int
}

func hexID(digit string) string { return strings.Repeat(digit, 64) }

func (e *engine) Inspect(_ context.Context, kind verdict.Kind, ref string) (verdict.Object, error) {
	e.asked++
	mine, theirs := map[string]string{"owner": "me"}, map[string]string{"owner": "them"}
	ref = strings.TrimPrefix(ref, "sha256:")
	switch {
	case kind == verdict.Container && (ref == hexID("1") || ref == hexID("1")[:12] || ref == "web"):
		return verdict.Object{Labels: mine}, nil
	case kind == verdict.Container && (ref == hexID("2") || ref == hexID("2")[:12] || ref == "victim"):
		return verdict.Object{Labels: theirs}, nil
	case kind == verdict.Network && strings.HasPrefix(hexID("3"), ref):
		return verdict.Object{Name: "theirs", Labels: theirs}, nil
	case kind == verdict.Image && strings.HasPrefix(hexID("4"), ref):
		return verdict.Object{}, nil // shared
	case kind == verdict.Image && strings.HasPrefix(hexID("5"), ref):
		return verdict.Object{Labels: theirs}, nil
	case kind == verdict.Container && strings.HasPrefix(hexID("6"), ref):
		return verdict.Object{}, context.DeadlineExceeded
	case kind == verdict.Service && ref == "s1":
		return verdict.Object{Labels: mine}, nil
	}
	return verdict.Object{}, verdict.ErrNotFound
}

func TestText(t *testing.T) {
	e := &engine{}
	p := &verdict.Policy{Owner: "me", LabelKey: "owner"}
	for message, want := range map[string]string{
		"":           "",
		"no such id": "no such id",
		`The container name "/x" is already in use by container "` + hexID("2") + `".`:                                         `The container name "/x" is already in use by container "[hidden]".`,
		`in use by container "` + hexID("1") + `"`:                                                                             `in use by container "` + hexID("1") + `"`,
		`container ` + hexID("2")[:12] + ` is using its referenced image ` + hexID("4")[:12]:                                   `container [hidden] is using its referenced image ` + hexID("4")[:12],
		`conflicts with network ` + hexID("3") + ` (br-` + hexID("3")[:12] + `): overlapping IPv4`:                             `conflicts with network [hidden] ([hidden]): overlapping IPv4`,
		`cannot create network ` + hexID("9") + ` (br-` + hexID("9")[:12] + `)`:                                                `cannot create network [hidden] ([hidden])`,
		`Get "https://r/v2/x/manifests/sha256:` + hexID("5") + `": EOF`:                                                        `Get "https://r/v2/x/manifests/sha256:` + hexID("5") + `": EOF`,
		`manifest for x@sha256:` + hexID("8") + ` not found`:                                                                   `manifest for x@sha256:` + hexID("8") + ` not found`,
		`image sha256:` + hexID("5") + ` has dependent child images`:                                                           `image [hidden] has dependent child images`,
		`engine does not say whose ` + hexID("6") + ` is`:                                                                      `engine does not say whose [hidden] is`,
		`network n has active endpoints (name:"web" id:"` + hexID("7")[:12] + `", name:"victim" id:"` + hexID("7")[:12] + `")`: `network n has active endpoints (name:"web" id:"[hidden]", a container of another owner)`,
		`port '80' is in use by service 'web' (s1) and by service 'x' (s2)`:                                                    `port '80' is in use by service 'web' (s1) and by a service of another owner`,
	} {
		if got := Text(t.Context(), p, e, message); got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
}

// A client can have an engine repeat in its error what the client sent.
func TestLookupsAreBounded(t *testing.T) {
	var message strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&message, `%012x name:"c%d" id:"0" service 's' (s%d) `, i, i, i)
	}
	e := &engine{}
	if Text(t.Context(), &verdict.Policy{Owner: "me", LabelKey: "owner"}, e, message.String()); e.asked > 4*maxLookups {
		t.Errorf("the engine is asked %d times about one message", e.asked)
	}
}
