package policy

import (
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// answered returns an answer of the engine as the owner gets it.
func answered(t *testing.T, target, answer string) string {
	t.Helper()
	out, err := decideOn(verdict.Policy{}, inventory(), "GET", target, "")
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	if err := out.Response(&shown, strings.NewReader(answer)); err != nil {
		t.Fatal(err)
	}
	return shown.String()
}

// An event is shown if all that it names is the owner's, or shared.
func TestEventsNameNothingForeign(t *testing.T) {
	connect := func(network, container string) string {
		return `{"Type":"network","Action":"connect","Actor":{"ID":"` + network + `","Attributes":{"container":"` + container + `"}}}`
	}
	for event, want := range map[string]bool{
		connect(hexID("c"), hexID("1")): true,
		connect(hexID("a"), hexID("1")): true, // bridge
		connect(hexID("c"), hexID("2")): false,
		connect(hexID("a"), hexID("2")): false,
		connect("corp", hexID("1")):     false,
		connect(hexID("c"), "gone"):     false,
		`{"Type":"network","Action":"create","Actor":{"ID":"` + hexID("c") + `","Attributes":{"name":"net"}}}`:                            true,
		`{"Type":"network","Action":"create","Actor":{"ID":"` + hexID("a") + `","Attributes":{"name":"bridge"}}}`:                         false,
		`{"Type":"container","Action":"start","Actor":{"ID":"x","Attributes":{"com.buildkite.sockguard.owner":"me"}}}`:                    true,
		`{"Type":"container","Action":"start","Actor":{"ID":"` + hexID("1") + `","Attributes":{"com.buildkite.sockguard.owner":"them"}}}`: false,
		`{"Type":"network","Action":"x","Actor":{"ID":"` + hexID("b") + `","Attributes":{"com.buildkite.sockguard.owner":"me"}}}`:         false,
		`{"Type":"plugin","Action":"enable","Actor":{"ID":"` + hexID("1") + `","Attributes":{"com.buildkite.sockguard.owner":"me"}}}`:     false,
		`{"Type":"volume","Action":"mount","Actor":{"ID":"secrets","Attributes":{"container":"` + hexID("1") + `","driver":"local"}}}`:    false,
	} {
		if got := answered(t, "/events", event+"\n"); (got != "") != want {
			t.Errorf("%s: shown %v, want %v", event, !want, want)
		}
	}
}

// A network shows what is known, the owner's containers of it and no others.
func TestNetworksShowNothingForeign(t *testing.T) {
	const member = `"Name":"bridge","Id":"1","Labels":{},`
	answer := `{` + member + `"Peers":[{"IP":"10.0.0.1"}],"Services":{"x":{}},"Status":{"IPAM":{}},"New":1,` +
		`"Containers":{"` + hexID("1") + `":{"Name":"web"},"` + hexID("2") + `":{"Name":"victim"}}}`
	want := `{` + member + `"Containers":{"` + hexID("1") + `":{"Name":"web"}}}`
	for target, in := range map[string][2]string{
		"/networks/bridge": {answer, want},
		"/networks":        {`[` + answer + `,{"Name":"corp","Id":"2","Labels":{}}]`, `[` + want + `]`},
	} {
		if got := strings.TrimSpace(answered(t, target, in[0])); got != in[1] {
			t.Errorf("GET %s: got %s, want %s", target, got, in[1])
		}
	}
}
