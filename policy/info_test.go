package policy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
)

// shown decides a request and returns the engine's answer as its decision edits it.
func shown(t *testing.T, p verdict.Policy, target, answer string) string {
	t.Helper()
	out, err := decideOn(p, inventory(), "GET", target, "")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := out.Response(&b, strings.NewReader(answer)); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

const engineInfo = `{"ID":"E","Containers":9,"ContainersRunning":5,"ContainersPaused":1,"ContainersStopped":3,"Images":50,
"Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"],["Data Space Used","9 GB"],["driver-type","x"]],
"Plugins":{"Volume":["local","secret-store"],"Network":["weave"],"Authorization":["opa"],"Log":["splunk"]},
"NFd":99,"NEventsListener":7,"HttpProxy":"http://user:pass@proxy.corp","HttpsProxy":"x","NoProxy":".corp",
"RegistryConfig":{"InsecureRegistryCIDRs":["127.0.0.0/8"],"IndexConfigs":{"docker.io":{"Name":"docker.io","Mirrors":["https://u:p@mirror.corp/"],"Secure":true,"Official":true},"reg.corp":{"Name":"reg.corp"}},"Mirrors":["https://u:p@mirror.corp/"]},
"NCPU":2,"MemTotal":25276514304,"Name":"vm","Labels":["zone=secret"],"Runtimes":{"runc":{"path":"runc"},"runsc":{"path":"/opt/gvisor/runsc"},"kata":{"path":"/opt/kata"}},
"Swarm":{"NodeID":"n","NodeAddr":"10.0.0.1","LocalNodeState":"active","ControlAvailable":true,"Error":"","RemoteManagers":[{"NodeID":"n","Addr":"10.0.0.1:2377"}],"Nodes":3,"Cluster":{"ID":"c"}},
"SecurityOptions":["name=seccomp,profile=default"],"Containerd":{"Address":"/run/containerd.sock"},"DefaultAddressPools":[{"Base":"10.9.0.0/16","Size":24}],
"DiscoveredDevices":[{"ID":"nvidia.com/gpu=0"}],"CDISpecDirs":["/etc/cdi"],"Warnings":["API is accessible on http://0.0.0.0:2375"],"SomethingNew":"secret"}`

// /info keeps its shape and the abilities of the machine. It counts one container
// of the owner's, and four images that the owner sees.
func TestInfoTellsOfTheOwnerOnly(t *testing.T) {
	const plugins = `"Plugins":{"Volume":["local"],"Network":["bridge","host","null"],"Authorization":null,"Log":["json-file","local","none"]}`
	want := `{"ID":"E","Containers":1,"ContainersRunning":1,"ContainersPaused":0,"ContainersStopped":0,"Images":4,` +
		`"Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"],["driver-type","x"]],` + plugins +
		`,"NFd":0,"NEventsListener":0,"HttpProxy":"","HttpsProxy":"","NoProxy":"",` +
		`"RegistryConfig":{"InsecureRegistryCIDRs":["127.0.0.0/8"],"IndexConfigs":{"docker.io":{"Name":"docker.io","Mirrors":[],"Secure":true,"Official":true}},"Mirrors":[]},` +
		`"NCPU":2,"MemTotal":25276514304,"Name":"vm","Labels":[],"Runtimes":{"runc":{"path":"runc"},"runsc":{"path":"runsc"}},` +
		`"Swarm":{"NodeID":"","NodeAddr":"","LocalNodeState":"inactive","ControlAvailable":false,"Error":"","RemoteManagers":[]},` +
		`"SecurityOptions":["name=seccomp,profile=default"],"CDISpecDirs":[],"Warnings":null}`
	got := shown(t, verdict.Policy{Grants: verdict.Grants{Runtimes: []string{"runsc"}}}, "/info", engineInfo)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	granted := shown(t, verdict.Policy{Grants: verdict.Grants{Swarm: true}}, "/info", engineInfo)
	var info struct{ Swarm json.RawMessage }
	if err := json.Unmarshal([]byte(granted), &info); err != nil {
		t.Fatal(err)
	}
	if got, want := string(info.Swarm), `{"NodeID":"n","NodeAddr":"","LocalNodeState":"active","ControlAvailable":true,"Error":"","RemoteManagers":[]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

const owned, foreign = `{"com.buildkite.sockguard.owner":"me"}`, `{"com.buildkite.sockguard.owner":"them"}`

// Disk usage has the owner's objects and their sums, in both shapes.
func TestDiskUsageTellsOfTheOwnerOnly(t *testing.T) {
	const (
		images     = `[{"Id":"i1","Size":10,"SharedSize":4,"Containers":7,"Labels":null},{"Id":"i2","Size":20,"SharedSize":0,"Containers":0,"Labels":` + owned + `},{"Id":"i3","Size":40,"Labels":` + foreign + `}]`
		containers = `[{"Id":"c1","SizeRw":3,"State":"exited","Labels":` + owned + `},{"Id":"c2","SizeRw":5,"State":"running","Labels":` + foreign + `},{"Id":"c3","SizeRw":6,"State":"running","Labels":{}}]`
		volumes    = `[{"Name":"v1","Labels":` + owned + `,"UsageData":{"Size":8,"RefCount":1}},{"Name":"v2","Labels":null,"UsageData":{"Size":9,"RefCount":0}}]`

		ownImages     = `[{"Id":"i1","Size":10,"SharedSize":0,"Containers":0,"Labels":null},{"Id":"i2","Size":20,"SharedSize":0,"Containers":0,"Labels":` + owned + `}]`
		ownContainers = `[{"Id":"c1","SizeRw":3,"State":"exited","Labels":` + owned + `}]`
		ownVolumes    = `[{"Name":"v1","Labels":` + owned + `,"UsageData":{"Size":8,"RefCount":1}}]`
	)
	legacy := `{"LayersSize":999,"Images":` + images + `,"Containers":` + containers + `,"Volumes":` + volumes + `,"BuildCache":[{"ID":"b"}],"BuilderSize":77,"New":[1]}`
	group := func(items string) string {
		return `{"ActiveCount":5,"Items":` + items + `,"Reclaimable":1,"TotalCount":9,"TotalSize":999}`
	}
	newer := `{"ImageUsage":` + group(images) + `,"ContainerUsage":` + group(containers) + `,"VolumeUsage":` + group(volumes) + `,"BuildCacheUsage":{"TotalSize":5}}`
	for _, tt := range []struct{ target, answer, want string }{
		{"/system/df", legacy, `{"Images":` + ownImages + `,"LayersSize":30,"Containers":` + ownContainers + `,"Volumes":` + ownVolumes + `,"BuildCache":[],"BuilderSize":0}`},
		{"/system/df?type=volume", `{"Images":null,"Volumes":` + volumes + `}`, `{"Images":[],"LayersSize":0,"Volumes":` + ownVolumes + `}`},
		{"/system/df?verbose=1", newer, `{"ImageUsage":{"Items":` + ownImages + `,"ActiveCount":0,"TotalCount":2,"TotalSize":30,"Reclaimable":30},` +
			`"ContainerUsage":{"Items":` + ownContainers + `,"ActiveCount":0,"TotalCount":1,"TotalSize":3,"Reclaimable":3},` +
			`"VolumeUsage":{"Items":` + ownVolumes + `,"ActiveCount":1,"TotalCount":1,"TotalSize":8,"Reclaimable":0},"BuildCacheUsage":{}}`},
		{"/system/df", newer, `{"ImageUsage":{"ActiveCount":0,"TotalCount":2,"TotalSize":30,"Reclaimable":30},` +
			`"ContainerUsage":{"ActiveCount":0,"TotalCount":1,"TotalSize":3,"Reclaimable":3},` +
			`"VolumeUsage":{"ActiveCount":1,"TotalCount":1,"TotalSize":8,"Reclaimable":0},"BuildCacheUsage":{}}`},
	} {
		if diff := cmp.Diff(tt.want, shown(t, verdict.Policy{}, tt.target, tt.answer)); diff != "" {
			t.Errorf("%s: %s", tt.target, diff)
		}
	}
}

// A list of images does not tell who uses a shared image.
func TestImagesDoNotTellTheirUsers(t *testing.T) {
	manifests := `"Manifests":[{"ID":"m","ImageData":{"Containers":["` + hexID("1") + `","` + hexID("2") + `"]}},{"ID":"n"}]`
	own := `"Manifests":[{"ID":"m","ImageData":{"Containers":["` + hexID("1") + `"]}},{"ID":"n"}]`
	for _, tt := range []struct{ target, answer, want string }{
		{"/images/json?shared-size=1", `[{"Id":"1","Labels":{},"Containers":4,"SharedSize":9,` + manifests + `},{"Id":"2","Labels":` + foreign + `}]`,
			`[{"Id":"1","Labels":{},"Containers":-1,"SharedSize":-1,` + own + `}]`},
		{"/images/busybox:latest/json?manifests=1", `{"Id":"7",` + manifests + `}`, `{"Id":"7",` + own + `}`},
	} {
		if diff := cmp.Diff(tt.want, shown(t, verdict.Policy{}, tt.target, tt.answer)); diff != "" {
			t.Errorf("%s: %s", tt.target, diff)
		}
	}
}

// A network does not show the operator's container that joined it, nor the
// addresses of a swarm's nodes.
func TestOwnNetworksShowOwnContainers(t *testing.T) {
	answer := `{"Name":"net","Containers":{"` + hexID("1") + `":{"Name":"web"},"` + hexID("3") + `":{"Name":"host"}},"Peers":[{"IP":"10.0.0.1"}]}`
	want := `{"Name":"net","Containers":{"` + hexID("1") + `":{"Name":"web"}}}`
	if got := shown(t, verdict.Policy{}, "/networks/net", answer); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCeilingOfContainers(t *testing.T) {
	testVerdicts(t, "POST", createURL, []verdictVector{
		{name: "room", policy: verdict.Policy{Grants: verdict.Grants{MaxContainers: 2}}, body: host("")},
		{name: "full", policy: verdict.Policy{Grants: verdict.Grants{MaxContainers: 1}}, body: host(""), want: "the ceiling of this socket is 1 containers"},
	})
}

func TestRegistries(t *testing.T) {
	p := verdict.Policy{Grants: verdict.Grants{Registries: []string{"reg.corp:5000", "ghcr.io"}}}
	testVerdicts(t, "POST", "/images/create?fromImage=reg.corp:5000/app&tag=1", []verdictVector{
		{name: "granted", policy: p},
		{name: "no registries named", target: "/images/create?fromImage=evil.example/x:1"},
		{name: "hub", target: "/images/create?fromImage=alpine&tag=3", policy: p, want: "registry docker.io: the operator opened reg.corp:5000, ghcr.io only"},
		{name: "hub by its other name", target: "/images/create?fromImage=index.docker.io/library/alpine", policy: p, want: "registry docker.io"},
		{name: "other port", target: "/images/create?fromImage=reg.corp/app", policy: p, want: "registry reg.corp:"},
		{name: "by digest", target: "/images/create?fromImage=evil.example/x&tag=sha256:" + hexID("1"), policy: p, want: "evil.example"},
		{name: "push", target: "/images/evil.example/x/push?tag=1", policy: p, want: "evil.example"},
		{name: "login", target: "/auth", body: `{"username":"u","password":"p","serveraddress":"https://evil.example/v2/"}`, policy: p, want: "evil.example"},
		{name: "login to what stands before a scheme", target: "/auth", body: `{"serveraddress":"localhost://ghcr.io/"}`, policy: p, want: "no address of a registry"},
		{name: "login with a scheme in other case", target: "/auth", body: `{"serveraddress":"HTTPS://ghcr.io/"}`, policy: p, want: "no address of a registry"},
		{name: "login with a user", target: "/auth", body: `{"serveraddress":"https://ghcr.io@localhost/"}`, policy: p, want: "no address of a registry"},
		{name: "login to another port", target: "/auth", body: `{"serveraddress":"ghcr.io:5000"}`, policy: p, want: "registry ghcr.io:5000"},
		{name: "login to a path of a granted one", target: "/auth", body: `{"serveraddress":"https://ghcr.io/v2/"}`, policy: p},
		{name: "login to a granted one", target: "/auth", body: `{"serveraddress":"ghcr.io"}`, policy: p},
		{name: "login to the hub", target: "/auth", body: `{"serveraddress":"https://index.docker.io/v1/"}`, policy: p, want: "docker.io"},
	})
	testVerdicts(t, "GET", "/distribution/ghcr.io/a/b/json", []verdictVector{
		{name: "granted", policy: p},
		{name: "manifest", target: "/distribution/evil.example/a/json", policy: p, want: "evil.example"},
		{name: "search", target: "/images/search?term=alpine", policy: p, want: "docker.io"},
		{name: "search elsewhere", target: "/images/search?term=evil.example/a", policy: p, want: "evil.example"},
		{name: "search in a granted one", target: "/images/search?term=ghcr.io/a", policy: p},
	})
}
