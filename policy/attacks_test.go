package policy

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// An attack is one request of a hostile client. It is refused with a message that
// contains refused, or the engine gets exactly forwarded.
type attack struct {
	name, method, target, body string
	refused                    string
	forwarded                  string // path, query and body; without a version
}

var web = "/containers/" + hexID("1")

// filtered returns a list or prune request as the engine gets it.
func filtered(path, filters string) string {
	return path + "?filters=" + url.QueryEscape(filters)
}

// attacks are single requests that work on an open engine or on the original
// sockguard. Bodies of containers have tests of their own. Attacks by connections
// are tested in package proxy, attacks by uploads in package rewrite.
var attacks = []attack{
	// Routes that look like others.
	{name: "websocket attach under its own pattern", method: "GET", target: "/containers/victim/attach/ws", refused: "No such container: victim"},
	{name: "suffix behind a suffix", method: "GET", target: "/containers/victim/logs/json", refused: "No such container: victim/logs"},
	{name: "checkpoint with a directory of the host", method: "DELETE", target: "/containers/web/checkpoints/etc?dir=/", refused: "directories of the host"},
	{name: "checkpoint list", method: "GET", target: "/containers/web/checkpoints?dir=/", refused: "directories of the host"},
	{name: "delete that swallows segments", method: "DELETE", target: "/containers/web/x/checkpoints/y", refused: "No such container: web/x/checkpoints/y"},
	{name: "link name of a foreign container", method: "DELETE", target: "/containers/web/db", refused: "No such container: web/db"},
	{name: "link itself", method: "DELETE", target: "/containers/web/db?link=1", refused: "a link is found by name only"},
	{name: "export of a foreign image", method: "GET", target: "/images/theirs:latest/get", refused: "No such image"},
	{name: "export of several", method: "GET", target: "/images/get?names=busybox:latest&names=theirs:latest", refused: "No such image: theirs:latest"},
	{name: "foreign image called get", method: "GET", target: "/images/get/json", refused: "No such image: get"},
	{name: "exec with a suffix for a name", method: "POST", target: "/exec/a/start/start", refused: "No such exec: a/start"},
	{name: "encoded letter", method: "POST", target: "/%62uild?remote=http://x/", refused: "remote context"},
	{name: "encoded version", method: "POST", target: "/v1%2e41/build?remote=http://x/", refused: "remote context"},
	{name: "encoded slash", method: "POST", target: "/v1.41%2Fbuild?remote=http://x/", refused: "remote context"},
	{name: "letter case of a route", method: "POST", target: "/BUILD", refused: "not a route"},
	{name: "double slash", method: "POST", target: "/v1.41//build", refused: "unclean path"},
	{name: "dots", method: "POST", target: "/x/../build", refused: "unclean path"},
	{name: "dot", method: "POST", target: "/./build", refused: "unclean path"},
	{name: "trailing slash", method: "POST", target: "/build/", refused: "not a route"},
	{name: "query in the path", method: "POST", target: "/build%3Fremote=http://x", refused: "unclean path"},
	{name: "gRPC path", method: "POST", target: "/moby.buildkit.v1.Control/Solve", refused: "not a route"},
	{name: "HTTP/2 preface", method: "PRI", target: "/", refused: "not a route"},
	{name: "Podman's own API", method: "POST", target: "/v1.41/libpod/containers/create", refused: "not a route"},
	{name: "start with a HostConfig, before 1.24", method: "POST", target: "/v1.23/containers/web/start", body: `{"Privileged":true}`, refused: "too old"},
	{name: "version of other digits", method: "POST", target: "/v01.0023/containers/web/start", refused: "too old"},
	{name: "version of three parts", method: "GET", target: "/v1.41.0/info", refused: "not of the form"},
	{name: "version of dots", method: "GET", target: "/v.../info", refused: "not of the form"},
	{name: "semicolon in the query", method: "POST", target: "/containers/prune?filters={};x=1", refused: "semicolon"},
	{name: "broken escape in the query", method: "POST", target: "/containers/prune?filters=%zz", refused: "cannot be decoded"},
	{name: "daemon's memory", method: "GET", target: "/debug/pprof/heap", refused: "the engine's own memory"},
	{name: "daemon's variables", method: "GET", target: "/debug/vars", refused: "the engine's own memory"},
	{name: "plugin", method: "POST", target: "/plugins/pull?remote=x", body: `[]`, refused: "runs as root on the host"},
	{name: "plugin settings", method: "POST", target: "/plugins/p/set", body: `["x"]`, refused: "runs as root on the host"},
	{name: "cluster of the attacker", method: "POST", target: "/swarm/join", body: `{}`, refused: "the operator's"},
	{name: "join tokens", method: "GET", target: "/swarm", refused: "the operator's"},
	{name: "service with a host path", method: "POST", target: "/services/create", body: `{}`, refused: "swarm is not open"},
	{name: "build cache of all", method: "POST", target: "/build/prune", refused: "shared by all owners"},
	{name: "cancelled build of another", method: "POST", target: "/build/cancel?id=x", refused: "BuildKit"},
	{name: "gRPC to BuildKit", method: "POST", target: "/grpc", refused: "BuildKit"},

	// Names and IDs.
	{name: "name becomes the full ID", method: "POST", target: "/containers/web/kill", forwarded: web + "/kill?"},
	{name: "start drops the body", method: "POST", target: "/containers/web/start", body: `{"Privileged":true}`, forwarded: web + "/start?"},
	{name: "start from a checkpoint", method: "POST", target: "/containers/web/start?checkpoint=x&checkpoint-dir=/etc", refused: "checkpoints are directories"},
	{name: "empty name", method: "DELETE", target: "/containers/", refused: "nothing is named"},
	{name: "query in a name", method: "GET", target: "/networks/net%3Fscope=global", refused: "network net?scope=global not found"},
	{name: "label of an image that is not its owner's", method: "DELETE", target: "/images/busybox:latest", refused: "it has no owner"},
	{name: "rename to an ID", method: "POST", target: "/containers/web/rename?name=" + hexID("2"), refused: "may be the ID"},
	{name: "container called like an ID", method: "POST", target: "/containers/create?name=/" + hexID("2"), body: `{"Image":"busybox:latest"}`, refused: "may be the ID"},
	{name: "network called like an ID", method: "POST", target: "/networks/create", body: `{"Name":"` + hexID("9") + `"}`, refused: "may be the ID"},
	{name: "rename keeps to one's own", method: "POST", target: "/containers/victim/rename?name=x", refused: "No such container"},
	{name: "process list of another", method: "GET", target: "/containers/victim/top?ps_args=eww", refused: "No such container"},
	{name: "network of the operator's", method: "DELETE", target: "/networks/corp", refused: "network corp not found"},
	{name: "network of the engine's", method: "DELETE", target: "/networks/bridge", refused: "network bridge not found"},
	{name: "foreign container into one's own network", method: "POST", target: "/networks/net/connect", body: `{"Container":"victim"}`, refused: "No such container: victim"},
	{name: "foreign container cut off", method: "POST", target: "/networks/bridge/disconnect", body: `{"Container":"victim","Force":true}`, refused: "No such container: victim"},
	{name: "both ends of a connect by ID", method: "POST", target: "/networks/net/connect", body: `{"Container":"web"}`,
		forwarded: "/networks/" + hexID("c") + `/connect?{"Container":"` + hexID("1") + `","EndpointConfig":{"NetworkID":"` + hexID("c") + `"}}`},
	{name: "foreign volume by its name", method: "POST", target: "/volumes/create", body: `{"Name":"secrets"}`, refused: "volume name secrets is taken"},
	{name: "host as a volume", method: "POST", target: "/volumes/create", body: `{"Name":"v","DriverOpts":{"type":"none","o":"bind","device":"/"}}`, refused: "mount it as root"},
	{name: "volume plugin", method: "POST", target: "/volumes/create", body: `{"Name":"v","Driver":"sshfs"}`, refused: "plugin"},

	// Labels.
	{name: "null labels", method: "POST", target: "/volumes/create", body: `{"Labels":null}`, forwarded: `/volumes/create?{"Labels":{"com.buildkite.sockguard.owner":"me"}}`},
	{name: "no labels", method: "POST", target: "/networks/create", body: `{"Name":"n"}`, forwarded: `/networks/create?{"Name":"n","CheckDuplicate":true,"Labels":{"com.buildkite.sockguard.owner":"me"}}`},
	{name: "labels in other case", method: "POST", target: "/networks/create", body: `{"Name":"n","labels":{"com.buildkite.sockguard.owner":"them"}}`, refused: "engines read it as Labels"},
	{name: "labels twice", method: "POST", target: "/networks/create", body: `{"Name":"n","Labels":{},"Labels":{"com.buildkite.sockguard.owner":"them"}}`, refused: "duplicate"},
	{name: "label filter of another owner", method: "GET", target: `/containers/json?filters={"label":["com.buildkite.sockguard.owner=them"]}`,
		forwarded: filtered("/containers/json", `{"label":["com.buildkite.sockguard.owner=them","com.buildkite.sockguard.owner=me"]}`)},
	{name: "filter that means false", method: "POST", target: `/containers/prune?filters={"label":{"com.buildkite.sockguard.owner=me":false}}`, refused: "the value false"},
	{name: "filter of both shapes", method: "POST", target: `/containers/prune?filters={"label":["a"],"until":{"1h":true}}`, refused: "neither"},
	{name: "filter twice", method: "POST", target: `/volumes/prune?filters={"label":["a"],"label":[]}`, refused: "neither"},
	{name: "negative label", method: "POST", target: `/networks/prune?filters={"label!":["com.buildkite.sockguard.owner=me"]}`,
		forwarded: filtered("/networks/prune", `{"label":["com.buildkite.sockguard.owner=me"],"label!":["com.buildkite.sockguard.owner=me"]}`)},
	{name: "second filters parameter", method: "POST", target: "/images/prune?filters={}&filters={\"dangling\":[\"false\"]}",
		forwarded: filtered("/images/prune", `{"label":["com.buildkite.sockguard.owner=me"]}`)},
	{name: "filter that grows", method: "GET", target: `/containers/json?filters={"name":["a{1000}"]}`, refused: "regular expression"},
	{name: "filter that grows, as a set", method: "GET", target: `/networks?filters={"id":{"(a{9}){9}":true}}`, refused: "regular expression"},
	{name: "filter that grows, of volumes", method: "POST", target: `/volumes/prune?filters={"name":["a{1000}"]}`, refused: "regular expression"},
	{name: "long filter", method: "GET", target: `/events?filters={"container":["` + strings.Repeat(`.`, 513) + `"]}`, refused: "regular expression"},
	{name: "label with braces", method: "GET", target: `/containers/json?filters={"label":["a={}"]}`,
		forwarded: filtered("/containers/json", `{"label":["a={}","com.buildkite.sockguard.owner=me"]}`)},
	{name: "before a foreign container", method: "GET", target: `/containers/json?filters={"before":["victim"]}`, refused: "No such container: victim"},
	{name: "since a foreign image", method: "GET", target: `/images/json?filters={"since":["theirs"]}`, refused: "No such image: theirs"},
	{name: "endpoints in a list of old", method: "GET", target: "/v1.25/networks", forwarded: "/networks?"},

	// Images that move or are made.
	{name: "tag of another", method: "POST", target: "/images/busybox:latest/tag?repo=theirs&tag=latest", refused: "image name theirs:latest is taken"},
	{name: "tag of nobody's", method: "POST", target: "/images/busybox:latest/tag?repo=docker.io/library/busybox", refused: "is taken"},
	{name: "tag that names a twin", method: "POST", target: "/images/busybox:latest/tag?repo=docker.io/library/sockguard-twin&tag=x", refused: "sockguard uses sockguard-twin for itself"},
	{name: "pull that names a twin", method: "POST", target: "/images/create?fromImage=sockguard-twin&tag=x", refused: "sockguard uses sockguard-twin for itself"},
	{name: "tag that names a loaded image", method: "POST", target: "/build?t=sockguard-load:x", refused: "sockguard uses sockguard-load for itself"},
	{name: "tag with a digest", method: "POST", target: "/build?t=x@sha256:" + hexID("1"), refused: "leave the digest out"},
	{name: "more tags than are given", method: "POST", target: "/build?t=x" + strings.Repeat("&t=x", 100), refused: "101 names for one image"},
	{name: "name of the work, beside it", method: "POST", target: "/commit?container=web&repo=x&tag=1", forwarded: "/commit?changes=" + url.QueryEscape("LABEL 'com.buildkite.sockguard.owner'='me'") + "&container=" + hexID("1")},
	{name: "foreign source of a tag", method: "POST", target: "/images/theirs/tag?repo=x", refused: "No such image: theirs"},
	{name: "pull over another's name", method: "POST", target: "/images/create?fromImage=theirs&tag=latest", refused: "a pull would take it away"},
	{name: "pull of all tags over another's", method: "POST", target: "/images/create?fromImage=docker.io/library/team", refused: "pull of all tags"},
	{name: "fetch by the engine", method: "POST", target: "/images/create?fromSrc=http://169.254.169.254/", refused: "download it yourself"},
	{name: "import over another's name", method: "POST", target: "/images/create?fromSrc=-&repo=theirs&tag=latest", refused: "is taken"},
	{name: "import with an owner", method: "POST", target: "/images/create?fromSrc=-&changes=LABEL+com.buildkite.sockguard.owner=them", refused: "com.buildkite.sockguard.owner"},
	{name: "import change that swallows", method: "POST", target: "/images/create?fromSrc=-&changes=CMD+x+%5C", refused: "swallow"},
	{name: "import directive", method: "POST", target: "/images/create?fromSrc=-&changes=%23escape%3D%60", refused: "directives"},
	{name: "tag like a part of an ID, removed", method: "DELETE", target: "/images/66666666", forwarded: "/images/66666666:latest?"},
	{name: "tag like a part of an ID, saved", method: "GET", target: "/images/66666666/get", forwarded: "/images/66666666:latest/get?"},
	{name: "part of an ID, saved", method: "GET", target: "/images/get?names=7777", forwarded: "/images/get?names=sha256%3A" + hexID("7")},
	{name: "push of another's", method: "POST", target: "/images/theirs/push?tag=latest", refused: "No such image"},
	{name: "push of all another's tags", method: "POST", target: "/images/theirs/push", refused: "No such image"},
	{name: "push by a name in full", method: "POST", target: "/images/docker.io/library/theirs/push", refused: "No such image"},
	{name: "push of a tag in the name", method: "POST", target: "/images/theirs:latest/push", refused: "No such image"},

	// Builds.
	{name: "several labels parameters", method: "POST", target: `/build?labels={}&labels={"com.buildkite.sockguard.owner":"them"}`,
		forwarded: "/build?dockerfile=.sockguard.Dockerfile&forcerm=1&labels=" + url.QueryEscape(`{"com.buildkite.sockguard.owner":"me"}`) + "&rm=1"},
	{name: "several Dockerfiles", method: "POST", target: "/build?dockerfile=../x&dockerfile=/etc/passwd",
		forwarded: "/build?dockerfile=.sockguard.Dockerfile&forcerm=1&labels=" + url.QueryEscape(`{"com.buildkite.sockguard.owner":"me"}`) + "&rm=1"},
	{name: "owner in labels", method: "POST", target: `/build?labels={"com.buildkite.sockguard.owner":"them"}`, refused: "this socket belongs to"},
	{name: "owner in labels twice", method: "POST", target: `/build?labels={"a":"b","a":"c"}`, refused: "duplicate"},
	{name: "remote context", method: "POST", target: "/build?remote=https://x/y.git", refused: "remote context"},
	{name: "BuildKit by version", method: "POST", target: "/build?version=2", refused: "BuildKit"},
	{name: "BuildKit by an odd version", method: "POST", target: "/build?version=02", refused: "BuildKit"},
	{name: "another's session", method: "POST", target: "/build?session=x", refused: "BuildKit"},
	{name: "another's build ID", method: "POST", target: "/build?buildid=x", refused: "BuildKit"},
	{name: "output to the host", method: "POST", target: "/build?outputs=[]", refused: "BuildKit"},
	{name: "network of a foreign container", method: "POST", target: "/build?networkmode=container:victim", refused: "No such container: victim"},
	{name: "network of another", method: "POST", target: "/build?networkmode=victims", refused: "network victims not found"},
	{name: "host network", method: "POST", target: "/build?networkmode=host", refused: "--allow-host-network"},
	{name: "cgroup", method: "POST", target: "/build?cgroupparent=/", refused: "cgroup parent"},
	{name: "another's tag", method: "POST", target: "/build?t=x&t=theirs:latest", refused: "image name theirs:latest is taken"},
	{name: "another's cache", method: "POST", target: `/build?cachefrom=["theirs"]`,
		forwarded: "/build?dockerfile=.sockguard.Dockerfile&forcerm=1&labels=" + url.QueryEscape(`{"com.buildkite.sockguard.owner":"me"}`) + "&rm=1"},
	{name: "security options", method: "POST", target: `/build?securityopt=["seccomp=unconfined"]`,
		forwarded: "/build?dockerfile=.sockguard.Dockerfile&forcerm=1&labels=" + url.QueryEscape(`{"com.buildkite.sockguard.owner":"me"}`) + "&rm=1"},
	{name: "unknown parameter", method: "POST", target: "/build?privileged=1", refused: "unknown parameter"},

	// Networks that reach out.
	{name: "macvlan on the host's card", method: "POST", target: "/networks/create", body: `{"Name":"n","Driver":"macvlan","Options":{"parent":"eth0"}}`, refused: "use bridge"},
	{name: "host's bridge adopted", method: "POST", target: "/networks/create", body: `{"Name":"n","Options":{"com.docker.network.bridge.name":"docker0"}}`, refused: "the host's network"},
	{name: "traffic of an address on the internet", method: "POST", target: "/networks/create", body: `{"Name":"n","IPAM":{"Config":[{"Subnet":"8.8.8.0/24"}]}}`, refused: "the host would send its own traffic"},
	{name: "settings of another network", method: "POST", target: "/networks/create", body: `{"Name":"n","ConfigFrom":{"Network":"victims"}}`, refused: "another network"},
	{name: "name that is a path", method: "POST", target: "/networks/create", body: `{"Name":"../containers/x"}`, refused: "no name for a network"},

	// Execs, updates and commits.
	{name: "privileged exec", method: "POST", target: "/containers/web/exec", body: `{"Privileged":true,"Cmd":["sh"]}`, refused: "root on the host"},
	{name: "update lifts the OOM killer", method: "POST", target: "/containers/web/update", body: `{"OomKillDisable":true}`, refused: "out of memory"},
	{name: "commit of another's", method: "POST", target: "/commit?container=victim", refused: "No such container"},
	{name: "commit over another's name", method: "POST", target: "/commit?container=web&repo=theirs&tag=latest", refused: "is taken"},
	{name: "commit with another owner", method: "POST", target: "/commit?container=web&changes=LABEL+a%3Db+com.buildkite.sockguard.owner%3Dthem", refused: "com.buildkite.sockguard.owner"},
	{name: "commit without a container", method: "POST", target: "/commit?repo=x", refused: "nothing is named"},
	{name: "archive into another's", method: "PUT", target: "/containers/victim/archive?path=/", refused: "No such container"},
}

// Every attack is refused or made harmless.
func TestAttacks(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			out, route, err := attacked(a)
			denied, _ := errors.AsType[*verdict.Denied](err)
			switch {
			case a.refused != "" && (denied == nil || !strings.Contains(denied.Message, a.refused)):
				t.Errorf("got %+v and %v, want a denial with %q", out, err, a.refused)
			case a.refused == "" && err != nil:
				t.Errorf("got %v, want it forwarded as %s", err, a.forwarded)
			case a.refused == "":
				if got := route.Path(out.Name) + "?" + out.Query.Encode() + string(out.Body); got != a.forwarded {
					t.Errorf("the engine gets %s\nwant %s", got, a.forwarded)
				}
			}
		})
	}
	t.Logf("%d attacks tried", len(attacks))
}

// attacked parses and decides the request of an attack.
func attacked(a attack) (*verdict.Decision, *verdict.Route, error) {
	path, query, _ := strings.Cut(a.target, "?")
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil, nil, err
	}
	u.RawQuery = query
	r, err := Parse(a.method, u)
	if err != nil {
		return nil, nil, err
	}
	out, err := decideOn(verdict.Policy{}, inventory(), a.method, u.String(), a.body)
	return out, r.Route, err
}
