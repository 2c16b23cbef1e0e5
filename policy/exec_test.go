package policy

import (
	"testing"

	"sockguard/policy/verdict"
)

func TestCreateExec(t *testing.T) {
	testVerdicts(t, "POST", "/containers/web/exec", []verdictVector{
		{name: "own", body: `{"Cmd":["sh"],"User":"root","Tty":true}`},
		{name: "foreign", target: "/containers/victim/exec", body: `{"Cmd":["sh"]}`, want: "No such container: victim"},
		{name: "privileged", body: `{"Cmd":["sh"],"Privileged":true}`, want: "Privileged: a privileged process is root on the host"},
		{name: "privileged in other case", body: `{"Cmd":["sh"],"privileged":true}`, want: "engines read it as Privileged"},
		{name: "unknown", body: `{"Cmd":["sh"],"CapAdd":["ALL"]}`, want: "CapAdd: sockguard does not know"},
	})
	p := verdict.Policy{Grants: verdict.Grants{ForceUser: "1000"}}
	out, err := decideOn(p, inventory(), "POST", "/containers/web/exec", `{"User":"0","Cmd":["id"]}`)
	if want := `{"User":"1000","Cmd":["id"]}`; err != nil || string(out.Body) != want || out.Name != hexID("1") {
		t.Errorf("got %s and %v, want %s", out.Body, err, want)
	}
}

func TestCommit(t *testing.T) {
	testVerdicts(t, "POST", "/commit?container=web", []verdictVector{
		{name: "own"},
		{name: "foreign", target: "/commit?container=victim", want: "No such container: victim"},
		{name: "none", target: "/commit", want: "empty container name"},
		{name: "foreign tag", target: "/commit?container=web&repo=theirs&tag=latest", want: "image name"},
		{name: "label by a change", target: "/commit?container=web&changes=LABEL+com.buildkite.sockguard.owner%3Dthem", want: "changes"},
		{name: "label hidden behind a line break", target: "/commit?container=web&changes=CMD+x%0ALABEL+com.buildkite.sockguard.owner%3Dthem", want: "line breaks"},
		{name: "change that goes on", target: "/commit?container=web&changes=CMD+x+%5C", want: "swallow"},
		{name: "label in the body", body: `{"Labels":{"com.buildkite.sockguard.owner":"them"}}`, want: "this socket belongs to"},
		{name: "labels in other case", body: `{"labels":{"com.buildkite.sockguard.owner":"them"}}`, want: "engines read it as Labels"},
	})
	out, err := decideOn(verdict.Policy{}, inventory(), "POST", "/commit?container=web", "")
	if err != nil || out.Body != nil || out.Query.Get("container") != hexID("1") {
		t.Errorf("got %+v and %v, want the full ID and no body", out, err)
	}
}
