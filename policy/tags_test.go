package policy

import (
	"testing"

	"sockguard/policy/verdict"
)

// With patterns, an owner gives names in matching repositories only. Pulls are not
// held by them.
func TestAllowTag(t *testing.T) {
	p := verdict.Policy{Grants: verdict.Grants{TagPatterns: []string{"team/*", "app", "reg.corp/team/*"}}}
	const closed = "the operator opened names in team/*, app, reg.corp/team/* only"
	testVerdicts(t, "POST", "", []verdictVector{
		{name: "pattern", target: "/build?t=team/x:1&t=app", policy: p},
		{name: "familiar name", target: "/build?t=docker.io/library/app:2", policy: p},
		{name: "a star is no slash", target: "/build?t=team/x/y", policy: p, want: closed},
		{name: "one of several", target: "/build?t=app&t=other", policy: p, want: closed},
		{name: "no prefix", target: "/build?t=app2", policy: p, want: closed},
		{name: "registry", target: "/images/busybox:latest/tag?repo=reg.corp/team/x", policy: p},
		{name: "another registry", target: "/images/busybox:latest/tag?repo=reg.evil/team/x", policy: p, want: closed},
		{name: "commit", target: "/commit?container=web&repo=x", policy: p, want: closed},
		{name: "import", target: "/images/create?fromSrc=-&repo=x", policy: p, want: closed},
		{name: "import without a name", target: "/images/create?fromSrc=-", policy: p},
		{name: "pull", target: "/images/create?fromImage=alpine&tag=3", policy: p},
	})
}

// A pull may move the name of a shared image that came from its repository.
func TestPullsOverNames(t *testing.T) {
	in := inventory()
	digest := "@sha256:" + hexID("d")
	shared := func(digit string, tags ...string) verdict.Object {
		return verdict.Object{ID: "sha256:" + hexID(digit), Tags: tags, Platform: "linux/amd64"}
	}
	in[verdict.Image] = map[string]verdict.Object{
		"pulled:1": shared("1", "pulled:1", "pulled"+digest),
		"local:1":  shared("2", "local:1", "pulled"+digest),
		"mine:1":   {ID: "sha256:" + hexID("3"), Labels: mine},
		"theirs:1": {ID: "sha256:" + hexID("4"), Labels: map[string]string{verdict.DefaultLabelKey: "them"}},
	}
	// The containerd image store tells the ID as a digest of every name.
	for _, name := range []string{"stored", "private"} {
		in[verdict.Image][name+":1"] = verdict.Object{ID: "sha256:" + hexID("9"), Tags: []string{name + ":1", name + "@sha256:" + hexID("9")}, Platform: "linux/amd64"}
	}
	forArm := shared("8", "arm:1", "arm"+digest)
	forArm.Platform = "linux/arm64"
	in[verdict.Image]["arm:1"] = forArm
	labelled, arm := shared("5"), shared("6")
	labelled.Labels, arm.Platform = mine, "linux/arm64"
	for _, tt := range []struct {
		ref    string
		pulled verdict.Object
		begins bool
		named  bool
	}{
		{"free:1", shared("7"), true, true},
		{"free:1", labelled, true, true},
		{"pulled:1", shared("7"), true, true},
		{"pulled:1", arm, true, false},
		{"pulled:1", labelled, true, false},
		{"arm:1", shared("7"), true, true}, // to the engine's own platform
		{"local:1", shared("7"), false, false},
		{"stored:1", shared("7"), false, false},
		{"private:1", shared("7"), true, false}, // the pull tells why the registry does not
		{"mine:1", arm, true, true},
		{"theirs:1", shared("7"), false, false},
		{"pulled", shared("7"), false, false}, // all tags
	} {
		d, err := decideOn(verdict.Policy{}, in, "POST", "/images/create?fromImage="+tt.ref, "")
		if (err == nil) != tt.begins {
			t.Errorf("%s: got %v", tt.ref, err)
		}
		if err != nil {
			continue
		}
		if _, err := d.Pull(); err != nil || len(d.Query.Get("tag")) != len(digest)-1 {
			t.Errorf("%s: got %v and %v", tt.ref, d.Query, err)
		}
		if err := d.Names.May(tt.ref, tt.pulled); (err == nil) != tt.named {
			t.Errorf("%s for %s: got %v", tt.ref, tt.pulled.ID, err)
		}
	}
}
