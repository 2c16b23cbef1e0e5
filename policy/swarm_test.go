package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
)

// swarmInventory returns the inventory with objects of a swarm.
func swarmInventory() objects {
	in := inventory()
	in[verdict.Service] = map[string]verdict.Object{
		"web":  {ID: "s1", Name: "web", Labels: mine},
		"them": {ID: "s2", Name: "them", Labels: theirs},
	}
	in[verdict.Task] = map[string]verdict.Object{"t1": {ID: "t1", Parent: "s1"}, "t2": {ID: "t2", Parent: "s2"}}
	in[verdict.Secret] = map[string]verdict.Object{"key": {ID: "k1", Name: "key", Labels: mine}, "theirs": {ID: "k2", Name: "theirs", Labels: theirs}}
	in[verdict.Config] = map[string]verdict.Object{"conf": {ID: "f1", Name: "conf", Labels: mine}, "theirs": {ID: "f2", Name: "theirs", Labels: theirs}}
	in[verdict.Node] = map[string]verdict.Object{"self": {ID: "n1"}}
	in[verdict.Image]["reg.corp/app:1"] = verdict.Object{ID: "sha256:" + hexID("4"), Tags: []string{"reg.corp/app:1", "reg.corp/app@sha256:" + hexID("d")}}
	return in
}

// service returns the body of a service with more members in its ContainerSpec and
// in its TaskTemplate.
func service(container string, beside ...string) string {
	return `{"Name":"x","TaskTemplate":{"ContainerSpec":{"Image":"busybox:latest"` + container + `}` + strings.Join(append([]string{""}, beside...), "") + `}}`
}

func TestServicesAreJudgedLikeContainers(t *testing.T) {
	open := verdict.Grants{Swarm: true}
	with := func(change func(*verdict.Policy)) verdict.Policy {
		p := verdict.Policy{Grants: open}
		change(&p)
		return p
	}
	vectors := []struct {
		name, body string
		policy     verdict.Policy
		want       string // part of the denial; "" when it passes
	}{
		{name: "plain", body: service(`,"Labels":{"a":"b"},"Env":["A=b"],"Init":true`, `,"RestartPolicy":{"Condition":"any"},"Placement":{"Constraints":["node.role==worker"]}`)},
		{name: "nothing to run", body: `{"Name":"x"}`, want: "TaskTemplate is missing"},
		{name: "no container", body: `{"Name":"x","TaskTemplate":{"Runtime":"container"}}`, want: "ContainerSpec is missing"},
		{name: "no image", body: `{"TaskTemplate":{"ContainerSpec":{"Env":["A=b"]}}}`, want: "empty image name"},
		{name: "foreign image", body: strings.Replace(service(""), "busybox:latest", "theirs:latest", 1), want: "No such image: theirs:latest"},
		{name: "image to come", body: strings.Replace(service(""), "busybox:latest", "later:1", 1), want: "No such image: later:1"},
		{name: "image by digest", body: strings.Replace(service(""), "busybox:latest", "reg.corp/x@sha256:"+hexID("c"), 1)},
		{name: "image of a closed registry", policy: with(func(p *verdict.Policy) { p.Registries = []string{"ghcr.io"} }), body: strings.Replace(service(""), "busybox:latest", "reg.corp/x@sha256:"+hexID("c"), 1), want: "registry reg.corp"},
		{name: "owner label of another", body: service(`,"Labels":{"` + verdict.DefaultLabelKey + `":"them"}`), want: "this socket belongs to"},
		{name: "service label of another", body: `{"Labels":{"` + verdict.DefaultLabelKey + `":"them"},` + service("")[1:], want: "this socket belongs to"},
		{name: "plugin", body: `{"TaskTemplate":{"PluginSpec":{"Name":"p"},"Runtime":"plugin"}}`, want: "TaskTemplate.PluginSpec: a plugin runs as root on every node"},
		{name: "plugin runtime", body: service("", `,"Runtime":"plugin"`), want: "TaskTemplate.Runtime"},
		{name: "attachment", body: service("", `,"NetworkAttachmentSpec":{"ContainerID":"x"}`), want: "NetworkAttachmentSpec"},
		{name: "host path", body: service(`,"Mounts":[{"Type":"bind","Source":"/etc","Target":"/h"}]`), want: "outside the allowed paths"},
		{name: "granted path", policy: with(func(p *verdict.Policy) { p.Binds = []verdict.BindGrant{{Path: "/srv"}} }), body: service(`,"Mounts":[{"Type":"bind","Source":"/srv/","Target":"/h"}]`)},
		{name: "below a granted path", policy: with(func(p *verdict.Policy) { p.Binds = []verdict.BindGrant{{Path: "/srv"}} }), body: service(`,"Mounts":[{"Type":"bind","Source":"/srv/link","Target":"/h"}]`), want: "mount the allowed path itself"},
		{name: "foreign volume", body: service(`,"Mounts":[{"Type":"volume","Source":"secrets","Target":"/v"}]`), want: "begin the name with me_"},
		{name: "own volume by a name that others may have elsewhere", body: service(`,"Mounts":[{"Type":"volume","Source":"shop_data","Target":"/v"}]`), want: "begin the name with me_"},
		{name: "own volume", body: service(`,"Mounts":[{"Type":"volume","Source":"me_data","Target":"/v"}]`)},
		{name: "volume of an owner with a longer name", body: service(`,"Mounts":[{"Type":"volume","Source":"me-a_data","Target":"/v"}]`), want: "begin the name with me_"},
		{name: "volume that is a path", body: service(`,"Mounts":[{"Type":"volume","Source":"me_/../../etc","Target":"/v"}]`), want: "no name"},
		{name: "volume driver", body: service(`,"Mounts":[{"Type":"volume","Source":"me_data","Target":"/v","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"type":"none","o":"bind","device":"/"}}}}]`), want: "mount it as root"},
		{name: "cluster volume", body: service(`,"Mounts":[{"Type":"cluster","Source":"x","Target":"/v"}]`), want: "mounts of this type"},
		{name: "image mount", body: service(`,"Mounts":[{"Type":"image","Source":"theirs","Target":"/v"}]`), want: "mounts of this type"},
		{name: "capability", body: service(`,"CapabilityAdd":["CAP_SYS_ADMIN"]`), want: "--allow-capability SYS_ADMIN"},
		{name: "sysctl", body: service(`,"Sysctls":{"kernel.msgmax":"1"}`), want: "--allow-sysctl"},
		{name: "seccomp off", body: service(`,"Privileges":{"Seccomp":{"Mode":"unconfined"}}`), want: "--allow-security-opt seccomp=unconfined"},
		{name: "seccomp off, granted", policy: with(func(p *verdict.Policy) { p.SecurityOpts = []string{"seccomp=unconfined"} }), body: service(`,"Privileges":{"Seccomp":{"Mode":"unconfined"}}`)},
		{name: "seccomp of one's own", body: service(`,"Privileges":{"Seccomp":{"Mode":"custom","Profile":"e30="}}`), want: "Privileges.Seccomp.Profile"},
		{name: "AppArmor off", body: service(`,"Privileges":{"AppArmor":{"Mode":"disabled"}}`), want: "Privileges.AppArmor"},
		{name: "SELinux", body: service(`,"Privileges":{"SELinuxContext":{"Disable":true}}`), want: "SELinuxContext"},
		{name: "credential file", body: service(`,"Privileges":{"CredentialSpec":{"File":"x"}}`), want: "CredentialSpec"},
		{name: "no new privileges", body: service(`,"Privileges":{"CredentialSpec":null,"SELinuxContext":null,"NoNewPrivileges":true}`)},
		{name: "foreign secret", body: service(`,"Secrets":[{"SecretID":"k2","SecretName":"theirs","File":{"Name":"x","UID":"0","GID":"0","Mode":292}}]`), want: "No such secret: k2"},
		{name: "own secret", body: service(`,"Secrets":[{"SecretID":"key","SecretName":"key","File":{"Name":"x","UID":"0","GID":"0","Mode":292}}]`)},
		{name: "foreign config", body: service(`,"Configs":[{"ConfigID":"theirs","ConfigName":"theirs"}]`), want: "No such config: theirs"},
		{name: "secret in other case", body: service(`,"secrets":[{"SecretID":"k2"}]`), want: "engines read it as Secrets"},
		{name: "foreign network", body: service("", `,"Networks":[{"Target":"victims"}]`), want: "network victims not found"},
		{name: "host network", body: service("", `,"Networks":[{"Target":"host"}]`), want: "--allow-host-network"},
		{name: "network sysctl with the host's network", policy: with(func(p *verdict.Policy) { p.HostNetwork = true }), body: service(`,"Sysctls":{"net.core.somaxconn":"9"}`, `,"Networks":[{"Target":"host"}]`), want: "settings of the host"},
		{name: "old place of networks", body: `{"Networks":[{"Target":"victims"}],` + service("")[1:], want: "network victims not found"},
		{name: "driver options", body: service("", `,"Networks":[{"Target":"net","DriverOpts":{"a":"b"}}]`), want: "DriverOpts"},
		{name: "privileged port", body: `{"EndpointSpec":{"Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":80}]},` + service("")[1:], want: "--allow-port 80"},
		{name: "port", body: `{"EndpointSpec":{"Mode":"vip","Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"host"},{"TargetPort":81}]},` + service("")[1:]},
		{name: "remote log", body: service("", `,"LogDriver":{"Name":"syslog","Options":{"syslog-address":"udp://x"}}`), want: "TaskTemplate.LogDriver.Name"},
		{name: "generic resource", body: service("", `,"Resources":{"Reservations":{"GenericResources":[{"NamedResourceSpec":{"Kind":"gpu","Value":"0"}}]}}`), want: "devices of the nodes"},
		{name: "OOM score", body: service(`,"OomScoreAdj":-5`), want: "OomScoreAdj"},
		{name: "groups beside a forced user", policy: with(func(p *verdict.Policy) { p.ForceUser = "1000" }), body: service(`,"Groups":["0"]`), want: "Groups"},
		{name: "memory", policy: with(func(p *verdict.Policy) { p.MaxMemory = 100 }), body: service("", `,"Resources":{"Limits":{"MemoryBytes":101}}`), want: "--max-memory"},
		{name: "reserved memory", policy: with(func(p *verdict.Policy) { p.MaxMemory = 100 }), body: service("", `,"Resources":{"Reservations":{"MemoryBytes":101}}`), want: "--max-memory"},
		{name: "swap", policy: with(func(p *verdict.Policy) { p.MaxMemory = 100 }), body: service("", `,"Resources":{"SwapBytes":-1}`), want: "SwapBytes"},
		{name: "replicas", policy: with(func(p *verdict.Policy) { p.MaxContainers = 5 }), body: `{"Mode":{"Replicated":{"Replicas":4}},` + service("")[1:], want: "the replicas of all your services, 6: the ceiling"},
		{name: "replicas within", policy: with(func(p *verdict.Policy) { p.MaxContainers = 5 }), body: `{"Mode":{"Replicated":{"Replicas":3}},` + service("")[1:]},
		{name: "global", policy: with(func(p *verdict.Policy) { p.MaxContainers = 5 }), body: `{"Mode":{"Global":{}},` + service("")[1:], want: "on every node"},
		{name: "operator's cgroup", policy: with(func(p *verdict.Policy) { p.CgroupParent = "/ci" }), body: service(""), want: "cannot be put into the operator's cgroup"},
		{name: "unknown", body: service(`,"Teleport":true`), want: "--allow-key TaskTemplate.ContainerSpec.Teleport"},
	}
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			v.policy.Swarm = true
			for _, target := range []string{"/services/create", "/services/web/update?version=1"} {
				_, err := decideOn(v.policy, swarmInventory(), "POST", target, v.body)
				if v.name == "replicas" && strings.Contains(target, "update") {
					continue // the updated service does not count twice
				}
				if got := denialOf(err); v.want == "" && err != nil || !strings.Contains(got, v.want) {
					t.Errorf("%s: got %v, want a denial with %q", target, err, v.want)
				}
			}
		})
	}
}

// Names of volumes tell owners apart only if no owner's name begins with another's
// and the separator.
func TestServiceVolumesOfOwnersWithSeparator(t *testing.T) {
	p := verdict.Policy{Owner: "me_a", Grants: verdict.Grants{Swarm: true}}
	_, err := decideOn(p, swarmInventory(), "POST", "/services/create", service(`,"Mounts":[{"Type":"volume","Source":"me_a_data","Target":"/v"}]`))
	if got := denialOf(err); !strings.Contains(got, "not told apart") {
		t.Errorf("got %v", err)
	}
}

// The swarm gets the owner label on the service and its containers, and pinned
// names.
func TestServicesArePinned(t *testing.T) {
	p := verdict.Policy{Grants: verdict.Grants{Swarm: true, ForceUser: "1000", MaxPids: 50, Binds: []verdict.BindGrant{{Path: "/srv"}}}}
	body := `{"Name":"x","TaskTemplate":{"ContainerSpec":{"Image":"reg.corp/app:1","Mounts":[{"Type":"volume","Source":"me_v","Target":"/v"}],"Secrets":[{"SecretID":"key","SecretName":"key"}]},"Networks":[{"Target":"net"}]}}`
	out, err := decideOn(p, swarmInventory(), "POST", "/services/create", body)
	if err != nil {
		t.Fatal(err)
	}
	const labels = `"Labels":{"com.buildkite.sockguard.owner":"me"}`
	want := `{"Name":"x","TaskTemplate":{"ContainerSpec":{"Image":"reg.corp/app:1@sha256:` + hexID("d") + `",` +
		`"Mounts":[{"Type":"volume","Source":"me_v","Target":"/v","VolumeOptions":{` + labels + `}}],` +
		`"Secrets":[{"SecretID":"k1","SecretName":"key"}],"User":"1000","Privileges":{"NoNewPrivileges":true},` + labels + `},` +
		`"Networks":[{"Target":"` + hexID("c") + `"}],"Resources":{"Limits":{"Pids":50},"Reservations":{}}},` + labels + `}`
	if diff := cmp.Diff(want, string(out.Body)); diff != "" {
		t.Error(diff)
	}
	out, err = decideOn(p, swarmInventory(), "POST", "/services/web/update?version=1", service(""))
	if err != nil || out.Name != "s1" || !strings.Contains(string(out.Body), `"Image":"sha256:`+hexID("7")+`"`) {
		t.Errorf("got %s %s and %v, want the full IDs of service and image", out.Name, out.Body, err)
	}
	volumes := strings.Replace(service(""), "busybox:latest", "postgres", 1)
	out, err = decideOn(p, swarmInventory(), "POST", "/services/create", volumes)
	if err != nil || !strings.Contains(string(out.Body), `"Mounts":[{"Type":"volume","Target":"/var/lib/postgresql/data","VolumeOptions":{`+labels+`}}]`) {
		t.Errorf("got %s and %v, want a labelled volume for the image's", out.Body, err)
	}
}

func TestSwarmObjects(t *testing.T) {
	for _, tt := range []struct {
		method, target, body string
		name, want           string // the ID that goes upstream, or the denial
	}{
		{"GET", "/services/web", "", "s1", ""},
		{"GET", "/services/them", "", "", "No such service: them"},
		{"GET", "/services/s2", "", "", "No such service: s2"},
		{"DELETE", "/services/them", "", "", "No such service"},
		{"GET", "/services/them/logs", "", "", "No such service"},
		{"GET", "/services/web/logs?follow=1", "", "s1", ""},
		{"POST", "/services/them/update?version=1", service(""), "", "No such service"},
		{"POST", "/services/web/update?version=1&rollback=other", service(""), "", "engines know previous only"},
		{"GET", "/tasks/t1", "", "t1", ""},
		{"GET", "/tasks/t2", "", "", "No such task: t2"},
		{"GET", "/tasks/t2/logs", "", "", "No such task"},
		{"GET", "/tasks?filters=" + `{"service":["them"]}`, "", "", "No such service: them"},
		{"GET", "/secrets/theirs", "", "", "No such secret"},
		{"DELETE", "/secrets/key", "", "k1", ""},
		{"POST", "/secrets/create", `{"Name":"n","Data":"eA=="}`, "", ""},
		{"POST", "/secrets/create", `{"Name":"n","Labels":{"com.buildkite.sockguard.owner":"them"}}`, "", "this socket belongs to"},
		{"POST", "/secrets/create", `{"Name":"n","Driver":{"Name":"vault"}}`, "", "plugin on the manager"},
		{"POST", "/configs/create", `{"Name":"n","Templating":{"Name":"sh"}}`, "", "use golang"},
		{"POST", "/configs/conf/update?version=2", `{"Name":"conf","Labels":{"com.buildkite.sockguard.owner":""}}`, "", "this socket belongs to"},
		{"POST", "/configs/theirs/update?version=2", `{"Name":"theirs"}`, "", "No such config"},
		{"GET", "/nodes/self", "", "n1", ""},
		{"POST", "/nodes/self/update?version=1", `{"Role":"manager"}`, "", "the swarm is the operator's"},
		{"DELETE", "/nodes/self", "", "", "the swarm is the operator's"},
		{"POST", "/swarm/init", `{}`, "", "the swarm is the operator's"},
		{"POST", "/swarm/leave?force=1", "", "", "the swarm is the operator's"},
		{"GET", "/swarm", "", "", "the swarm is the operator's"},
		{"POST", "/networks/create", `{"Name":"o","Driver":"overlay","Attachable":true,"Scope":"swarm"}`, "", ""},
		{"POST", "/networks/create", `{"Name":"o","Driver":"overlay","Ingress":true}`, "", "Ingress"},
	} {
		out, err := decideOn(verdict.Policy{Grants: verdict.Grants{Swarm: true}}, swarmInventory(), tt.method, tt.target, tt.body)
		if got := denialOf(err); tt.want == "" && err != nil || !strings.Contains(got, tt.want) || tt.name != "" && out.Name != tt.name {
			t.Errorf("%s %s: got %+v and %v, want %q %q", tt.method, tt.target, out, err, tt.name, tt.want)
		}
		if _, err := decideOn(verdict.Policy{}, swarmInventory(), tt.method, tt.target, tt.body); err == nil {
			t.Errorf("%s %s passes without a grant", tt.method, tt.target)
		}
	}
}

func TestSwarmLists(t *testing.T) {
	p := verdict.Policy{Grants: verdict.Grants{Swarm: true}}
	const mineAndTheirs = `[{"ID":"a","Spec":{"Labels":` + owned + `}},{"ID":"b","Spec":{"Labels":` + foreign + `}},{"ID":"c","Spec":{"Labels":{}}}]`
	for _, tt := range []struct{ target, answer, want string }{
		{"/services", mineAndTheirs, `[{"ID":"a","Spec":{"Labels":` + owned + `}}]`},
		{`/secrets?filters={"label":["` + verdict.DefaultLabelKey + `=them"]}`, mineAndTheirs, `[]`},
		{`/configs?filters={"label":["` + verdict.DefaultLabelKey + `"]}`, mineAndTheirs, `[{"ID":"a","Spec":{"Labels":` + owned + `}}]`},
		{"/nodes", `[{"ID":"n","Version":{"Index":3},"CreatedAt":"","UpdatedAt":"","Spec":{"Labels":{},"Role":"manager","Availability":"active"},"Description":{"Hostname":"h","TLSInfo":{"TrustRoot":"x"},"Engine":{"EngineVersion":"20","Plugins":[{"Name":"p"}]}},"Status":{"State":"ready","Addr":"10.0.0.1"},"ManagerStatus":{"Leader":true,"Reachability":"reachable","Addr":"10.0.0.1:2377"}}]`,
			`[{"ID":"n","Version":{"Index":3},"CreatedAt":"","UpdatedAt":"","Spec":{"Name":"","Role":"manager","Availability":"active","Labels":{}},"Description":{"Hostname":"h","Platform":{"Architecture":"","OS":""},"Resources":{"NanoCPUs":0,"MemoryBytes":0},"Engine":{"EngineVersion":"20"}},"Status":{"State":"ready"},"ManagerStatus":{"Leader":true,"Reachability":"reachable"}}]`},
	} {
		out, err := decideOn(p, swarmInventory(), "GET", tt.target, "")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := out.Response(&b, strings.NewReader(tt.answer)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, strings.TrimSpace(b.String())); diff != "" {
			t.Errorf("%s: %s", tt.target, diff)
		}
		if filters := out.Query.Get("filters"); tt.target != "/nodes" && filters != `{"label":["`+verdict.DefaultLabelKey+`=me"]}` {
			t.Errorf("%s: the engine gets the filters %s", tt.target, filters)
		}
	}
}
