package scrub

import (
	"context"
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
	s := Scrubber{&verdict.Policy{Owner: "me", LabelKey: "owner"}, e}
	for message, want := range map[string]string{
		"":           "",
		"no such id": "no such id",
		`The container name "/x" is already in use by container "` + hexID("2") + `".`:                                         `The container name "/x" is already in use by container "of another owner".`,
		`in use by container "` + hexID("1") + `"`:                                                                             `in use by container "` + hexID("1") + `"`,
		`container ` + hexID("2")[:12] + ` is using its referenced image ` + hexID("4")[:12]:                                   `container of another owner is using its referenced image ` + hexID("4")[:12],
		`conflicts with network ` + hexID("3") + ` (br-` + hexID("3")[:12] + `): overlapping IPv4`:                             `conflicts with network of another owner (of another owner): overlapping IPv4`,
		`cannot create network ` + hexID("9") + ` (br-` + hexID("9")[:12] + `)`:                                                `cannot create network ` + hexID("9") + ` (br-` + hexID("9")[:12] + `)`,
		`manifest for x@sha256:` + hexID("8") + ` not found`:                                                                   `manifest for x@sha256:` + hexID("8") + ` not found`,
		`image sha256:` + hexID("5") + ` has dependent child images`:                                                           `image of another owner has dependent child images`,
		`engine does not say whose ` + hexID("6") + ` is`:                                                                      `engine does not say whose of another owner is`,
		`network n has active endpoints (name:"web" id:"` + hexID("7")[:12] + `", name:"victim" id:"` + hexID("7")[:12] + `")`: `network n has active endpoints (name:"web" id:"` + hexID("7")[:12] + `", a container of another owner)`,
		`port '80' is in use by service 'web' (s1) and by service 'x' (s2)`:                                                    `port '80' is in use by service 'web' (s1) and by a service of another owner`,
	} {
		if got := s.Text(t.Context(), message); got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
	e.asked = 0
	var long strings.Builder
	for i := range 1000 {
		long.WriteString(strings.Repeat("abc"[i%3:i%3+1], 8) + string([]byte{'0' + byte(i/100), '0' + byte(i/10%10), '0' + byte(i%10), 'a', ' '}))
	}
	if s.Text(t.Context(), long.String()); e.asked > 4*maxIDs {
		t.Errorf("the engine is asked %d times about one message", e.asked)
	}
}
