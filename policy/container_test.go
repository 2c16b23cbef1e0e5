package policy

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/container"
	"sockguard/policy/verdict"
)

const createURL = "/v1.41/containers/create"

// host returns a create body with fields of HostConfig.
func host(field string) string {
	return `{"Image":"busybox:latest","HostConfig":{` + field + `}}`
}

func TestCreateContainerRefusesOtherReadings(t *testing.T) {
	testVerdicts(t, "POST", createURL, []verdictVector{
		{name: "second HostConfig in other case", body: `{"Image":"busybox:latest","HostConfig":{},"hostconfig":{"Privileged":true}}`, want: "hostconfig: engines read it as HostConfig"},
		{name: "field in other case", body: host(`"privileged":true`), want: "HostConfig.privileged: engines read it as Privileged; write Privileged"},
		{name: "letter that folds to s", body: host(`"Bindſ":["/:/x"]`), want: "HostConfig.Bindſ: engines read it as"},
		{name: "letter that folds to k", body: host(`"NetworKMode":"host"`), want: "engines read it as NetworkMode"},
		{name: "duplicate", body: host(`"Binds":[],"Binds":["/:/x"]`), want: "HostConfig.Binds: duplicate object member name"},
		{name: "duplicate label", body: `{"Image":"busybox:latest","Labels":{"a":"1","a":"2"}}`, want: "Labels.a: duplicate"},
		{name: "HostConfig field at the top", body: `{"Image":"busybox:latest","Privileged":true}`, want: "Privileged: old engines read it as HostConfig.Privileged"},
		{name: "VolumeDriver at the top", body: `{"Image":"busybox:latest","HostConfig":{},"VolumeDriver":"x"}`, want: "put it into HostConfig"},
		{name: "unknown field", body: host(`"Teleport":true`), want: "ask the operator for --allow-key HostConfig.Teleport"},
		{name: "unknown field let through", body: host(`"Teleport":true`), policy: verdict.Policy{Grants: verdict.Grants{AllowKeys: []string{"HostConfig.Teleport"}}}},
		{name: "known field by its wrong name is never let through", body: host(`"privileged":true`), policy: verdict.Policy{Grants: verdict.Grants{AllowKeys: []string{"HostConfig.privileged"}}}, want: "engines read it as"},
		{name: "HostConfig by its wrong name is never let through", body: `{"Image":"busybox:latest","hostConfig":{"Privileged":true}}`, policy: verdict.Policy{Grants: verdict.Grants{AllowKeys: []string{"hostConfig"}}}, want: "engines read it as"},
		{name: "second document", body: `{"Image":"busybox:latest"}{"HostConfig":{"Privileged":true}}`, want: "data after the object"},
		{name: "null", body: `null`, want: "empty image name"},
		{name: "nothing", want: "empty image name"},
		{name: "list", body: `[]`, want: "no JSON object"},
		{name: "unknown and empty is left out", body: host(`"Teleport":null,"privileged":false,"Binds":null`)},
	})
}

func TestCreateContainerRefusesTheHost(t *testing.T) {
	grants := func(g verdict.Grants) verdict.Policy { return verdict.Policy{Grants: g} }
	testVerdicts(t, "POST", createURL, []verdictVector{
		{name: "privileged", body: host(`"Privileged":true`), want: "HostConfig.Privileged: a privileged container is root on the host; remove it"},
		{name: "capability", body: host(`"CapAdd":["SYS_ADMIN"]`), want: `"SYS_ADMIN": this capability reaches the host; remove it, or ask the operator for --allow-capability SYS_ADMIN`},
		{name: "capability as a string", body: host(`"CapAdd":"ALL"`), want: "--allow-capability ALL"},
		{name: "capability in another spelling", body: host(`"CapAdd":["cap_sys_ptrace"]`), want: "--allow-capability SYS_PTRACE"},
		{name: "default capability", body: host(`"CapAdd":["CHOWN","cap_kill"],"CapDrop":["ALL"]`)},
		{name: "granted capability", body: host(`"CapAdd":["CAP_NET_ADMIN","sys_nice"]`), policy: grants(verdict.Grants{Capabilities: []string{"NET_ADMIN", "cap_sys_nice"}})},
		{name: "relative volume", body: `{"Image":"busybox:latest","Volumes":{"rel":{}}}`, want: "write it with a leading /"},
		{name: "an image with many volumes", body: `{"Image":"volumes"}`, want: "Volumes has 200 elements, more than 128"},
		{name: "an image with many ports", body: `{"Image":"ports","HostConfig":{"PublishAllPorts":true}}`, want: "PortBindings has 200 elements, more than 128"},
		{name: "many ports that are not published", body: `{"Image":"ports","HostConfig":{"PublishAllPorts":false}}`},
		{name: "replaced capabilities", body: host(`"Capabilities":["SYS_ADMIN"]`), want: "HostConfig.Capabilities"},
		{name: "seccomp off", body: host(`"SecurityOpt":["no-new-privileges","seccomp=unconfined"]`), want: "--allow-security-opt seccomp=unconfined"},
		{name: "new privileges", body: host(`"SecurityOpt":["no-new-privileges=false"]`), want: "confinement"},
		{name: "no new privileges", body: host(`"SecurityOpt":["no-new-privileges:true"]`)},
		{name: "unmasked by an empty list", body: host(`"MaskedPaths":[]`), want: "HostConfig.MaskedPaths"},
		{name: "writable kernel by an empty list", body: host(`"ReadonlyPaths":[]`), want: "HostConfig.ReadonlyPaths"},
		{name: "device", body: host(`"Devices":[{"PathOnHost":"/dev/mem","PathInContainer":"/dev/mem","CgroupPermissions":"rwm"}]`), want: "--allow-device /dev/mem"},
		{name: "granted device", body: host(`"Devices":[{"PathOnHost":"/dev/fuse"}]`), policy: grants(verdict.Grants{Devices: []string{"/dev/fuse"}})},
		{name: "below a granted device", body: host(`"Devices":[{"PathOnHost":"/dev/fuse/.."}]`), policy: grants(verdict.Grants{Devices: []string{"/dev/fuse"}}), want: "--allow-device /dev"},
		{name: "device rule", body: host(`"DeviceCgroupRules":["a *:* rwm"]`), want: "mknod"},
		{name: "GPU", body: host(`"DeviceRequests":[{"Count":-1,"Capabilities":[["gpu"]]}]`), want: "--allow-gpus"},
		{name: "granted GPU", body: host(`"DeviceRequests":[{"Driver":"","Count":-1,"DeviceIDs":null,"Capabilities":[["gpu"]],"Options":{}}]`), policy: grants(verdict.Grants{GPUs: true})},
		{name: "CDI device", body: host(`"DeviceRequests":[{"Driver":"cdi","DeviceIDs":["x.com/y=z"]}]`), policy: grants(verdict.Grants{GPUs: true}), want: "may add mounts and hooks"},
		{name: "sysctl", body: host(`"Sysctls":{"kernel.core_pattern":"|/x"}`), want: "--allow-sysctl kernel.core_pattern"},
		{name: "safe sysctl", body: host(`"Sysctls":{"net.core.somaxconn":"1024"}`)},
		{name: "safe sysctl in the host's network", body: host(`"Sysctls":{"net.core.somaxconn":"1024"},"NetworkMode":"host"`), policy: grants(verdict.Grants{HostNetwork: true}), want: "settings of the host"},
		{name: "runtime", body: host(`"Runtime":"runc"`), want: "--allow-runtime runc"},
		{name: "granted runtime", body: host(`"Runtime":"runsc"`), policy: grants(verdict.Grants{Runtimes: []string{"runsc"}})},
		{name: "annotation", body: host(`"Annotations":{"run.oci.handler":"x"}`), want: "hooks"},
		{name: "storage option", body: host(`"StorageOpt":{"size":"1G","x":"y"}`), want: `"x": it is an option`},
		{name: "syslog", body: host(`"LogConfig":{"Type":"syslog","Config":{"syslog-address":"udp://1.2.3.4"}}`), want: "HostConfig.LogConfig.Type"},
		{name: "options for the default driver", body: host(`"LogConfig":{"Type":"","Config":{"gelf-address":"udp://1.2.3.4"}}`), want: "HostConfig.LogConfig.Config \"gelf-address\""},
		{name: "json-file", body: host(`"LogConfig":{"Type":"json-file","Config":{"max-size":"1m"}}`)},
		{name: "log options", body: host(`"LogConfig":{"Type":"local","Config":{"max-size":"10m","max-file":"5","mode":"non-blocking","max-buffer-size":"16m","tag":"a {{.Name}}/{{ .ID }}","labels-regex":"^(a|b)","env":"A"}}`)},
		{name: "log buffer", body: host(`"LogConfig":{"Config":{"max-buffer-size":"17m"}}`), want: "write a size up to 16m"},
		{name: "log files", body: host(`"LogConfig":{"Config":{"max-file":"101"}}`), want: "write a number up to 100"},
		{name: "tiny log files", body: host(`"LogConfig":{"Config":{"max-size":"1"}}`), want: "at least 1k"},
		{name: "log template", body: host(`"LogConfig":{"Config":{"tag":"{{range .ContainerEnv}}{{.}}{{end}}"}}`), want: "write plain text"},
		{name: "log template of the host", body: host(`"LogConfig":{"Config":{"tag":"{{.LogPath}}"}}`), want: "write plain text"},
		{name: "log command", body: host(`"LogConfig":{"Config":{"tag":"{{.Command}}"}}`), want: "write plain text"},
		{name: "log template of many fields", body: host(`"LogConfig":{"Config":{"tag":"{{.ID}}{{.ID}}{{.ID}}{{.ID}}{{.ID}}"}}`), want: "write plain text"},
		{name: "log pattern", body: host(`"LogConfig":{"Config":{"env-regex":"(a{0,1000}){0,1000}"}}`), want: "without {"},
		{name: "real time", body: host(`"Ulimits":[{"Name":"nofile","Soft":1,"Hard":2},{"Name":"RtPrio","Soft":1,"Hard":1}]`), want: `"RtPrio": it takes the CPU away`},
		{name: "nice", body: host(`"Ulimits":[{"Name":"nice","Soft":40,"Hard":40}]`), want: `"nice"`},
		{name: "null limit", body: host(`"Ulimits":[null]`), want: `HostConfig.Ulimits ""`},
		{name: "limits", body: host(`"Ulimits":[{"Name":"memlock","Soft":-1,"Hard":-1},{"Name":"nproc","Hard":9,"Soft":9}]`)},
		{name: "tmpfs", body: host(`"Tmpfs":{"/a":"","/b":"rw,noexec,nosuid,nodev,size=64m,mode=1777,uid=1,gid=2"}`)},
		{name: "tmpfs with flags", body: host(`"Tmpfs":{"/a":"defaults,nodiratime,strictatime,norelatime,async","/b":"dirsync,noexec"}`)},
		{name: "tmpfs that binds", body: host(`"Tmpfs":{"/a":"rbind,rshared"}`), want: "other options of mount reach beyond it"},
		{name: "tmpfs with devices", body: host(`"Tmpfs":{"/a":"size=1m,dev"}`), want: "HostConfig.Tmpfs"},
		{name: "tmpfs with an empty option", body: host(`"Tmpfs":{"/a":"size=1m,"}`), want: "HostConfig.Tmpfs"},
		{name: "mount of a tmpfs", body: host(`"Mounts":[{"Type":"tmpfs","Target":"/a","TmpfsOptions":{"SizeBytes":1048576,"Mode":1023,"Options":[["noexec"]]}}]`)},
		{name: "mount of a tmpfs that is shared", body: host(`"Mounts":[{"Type":"tmpfs","Target":"/a","TmpfsOptions":{"Options":[["exec","x,rshared"]]}}]`), want: `"exec=x,rshared": engines know exec and noexec only`},
		{name: "OOM score", body: host(`"OomScoreAdj":-1000`), want: "HostConfig.OomScoreAdj"},
		{name: "OOM killer", body: host(`"OomKillDisable":true`), want: "HostConfig.OomKillDisable"},
		{name: "real time", body: host(`"CpuRealtimeRuntime":1`), want: "HostConfig.CpuRealtimeRuntime"},
		{name: "block device", body: host(`"BlkioWeightDevice":[{"Path":"/dev/sda","Weight":1}]`), want: "devices of the host"},
		{name: "host user namespace", body: host(`"UsernsMode":"host"`), want: "HostConfig.UsernsMode"},
		{name: "host UTS", body: host(`"UTSMode":"host"`), want: "HostConfig.UTSMode"},
		{name: "host IPC", body: host(`"IpcMode":"host"`), want: "HostConfig.IpcMode"},
		{name: "host PID", body: host(`"PidMode":"host"`), want: "HostConfig.PidMode"},
		{name: "host cgroups", body: host(`"CgroupnsMode":"host"`), want: "HostConfig.CgroupnsMode"},
		{name: "cgroup of another", body: host(`"Cgroup":"container:web"`), want: "HostConfig.Cgroup"},
		{name: "cgroup parent", body: host(`"CgroupParent":"/"`), want: "--cgroup-parent"},
		{name: "another cgroup parent", body: host(`"CgroupParent":"/"`), policy: verdict.Policy{CgroupParent: "/ci"}, want: "--cgroup-parent"},
		{name: "groups beside a forced user", body: host(`"GroupAdd":["0"]`), policy: grants(verdict.Grants{ForceUser: "1000"}), want: "HostConfig.GroupAdd"},
		{name: "many ports", body: host(`"PortBindings":{"80/tcp":[` + strings.Repeat(`{"HostPort":""},`, 128) + `{"HostPort":""}]}`), want: "129 elements"},
		{name: "privileged port", body: host(`"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"80"}]}`), want: "--allow-port 80"},
		{name: "range that begins below", body: host(`"PortBindings":{"80/tcp":[{"HostPort":"1023-2000"}]}`), want: "--allow-port 1023-2000"},
		{name: "port with a protocol", body: host(`"PortBindings":{"80/tcp":[{"HostPort":"80/tcp"}]}`), want: "no host port"},
		{name: "granted port", body: host(`"PortBindings":{"80/tcp":[{"HostPort":"80"}]}`), policy: grants(verdict.Grants{PublishedPorts: []verdict.PortRange{{First: 80, Last: 80}}})},
		{name: "port outside the operator's ranges", body: host(`"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}`), policy: grants(verdict.Grants{PublishedPorts: []verdict.PortRange{{First: 80, Last: 80}}}), want: "not open"},
		{name: "any port", body: host(`"PortBindings":{"80/tcp":[{"HostPort":""},{"HostPort":"0"}]},"PublishAllPorts":true`)},
	})
}

func TestCreateContainerHidesOthers(t *testing.T) {
	testVerdicts(t, "POST", createURL, []verdictVector{
		{name: "image", body: `{"Image":"theirs"}`, want: "No such image: theirs"},
		{name: "missing image", body: `{"Image":"alpine"}`, want: "No such image: alpine"},
		{name: "network of a container", body: host(`"NetworkMode":"container:victim"`), want: "No such container: victim"},
		{name: "network of nobody's container", body: host(`"NetworkMode":"container:host"`), want: "No such container: host"},
		{name: "container yet to come", body: host(`"PidMode":"container:later"`), want: "No such container: later"},
		{name: "IPC", body: host(`"IpcMode":"container:victim"`), want: "No such container: victim"},
		{name: "link", body: host(`"Links":["victim:db"]`), want: "No such container: victim"},
		{name: "volumes from", body: host(`"VolumesFrom":["victim:ro"]`), want: "No such container: victim"},
		{name: "network", body: host(`"NetworkMode":"victims"`), want: "network victims not found"},
		{name: "operator's network", body: host(`"NetworkMode":"corp"`), want: "network corp not found"},
		{name: "endpoint", body: `{"Image":"busybox:latest","NetworkingConfig":{"EndpointsConfig":{"victims":{}}}}`, want: "network victims not found"},
		{name: "endpoint's link", body: `{"Image":"busybox:latest","NetworkingConfig":{"EndpointsConfig":{"net":{"Links":["victim"]}}}}`, want: "No such container: victim"},
		{name: "endpoint's driver options", body: `{"Image":"busybox:latest","NetworkingConfig":{"EndpointsConfig":{"net":{"DriverOpts":{"com.docker.network.endpoint.sysctls":"x"}}}}}`, want: "EndpointsConfig.net.DriverOpts"},
		{name: "unknown in an endpoint", body: `{"Image":"busybox:latest","NetworkingConfig":{"EndpointsConfig":{"net":{"networkid":"x"}}}}`, want: "engines read it as NetworkID"},
		{name: "host network", body: host(`"NetworkMode":"host"`), want: "--allow-host-network"},
		{name: "host network by ID", body: host(`"NetworkMode":"` + hexID("b") + `"`), want: "--allow-host-network"},
		{name: "host network as an endpoint", body: `{"Image":"busybox:latest","NetworkingConfig":{"EndpointsConfig":{"host":{}}}}`, want: "--allow-host-network"},
		{name: "owner label of another", body: `{"Image":"busybox:latest","Labels":{"com.buildkite.sockguard.owner":"them"}}`, want: "this socket belongs to"},
		{name: "image mount", body: host(`"Mounts":[{"Type":"image","Source":"theirs","Target":"/x"}]`), want: "No such image: theirs"},
		{name: "other case in a mount", body: host(`"Mounts":[{"Type":"tmpfs","type":"bind","Source":"/","Target":"/x"}]`), want: "HostConfig.Mounts.0.type: unknown"},
	})
}

// A foreign object is answered exactly like a missing one. The log has the reason.
// Engines answer 400, and to a 404 the docker CLI would pull the image.
func TestForeignAnswersLikeMissing(t *testing.T) {
	_, err := decideOn(verdict.Policy{}, inventory(), "POST", createURL, host(`"NetworkMode":"container:victim"`))
	want := &verdict.Denied{Status: http.StatusBadRequest, Rule: "owner", Message: "No such container: victim", Truth: `container victim belongs to "them", not to "me"`, Plain: true}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Error(diff)
	}
}

// created holds the parts of a create body that these tests compare.
type created struct {
	Image, User string
	Labels      map[string]string
	HostConfig  struct {
		NetworkMode, PidMode, CgroupParent string
		Memory, NanoCpus, PidsLimit        int64
		Links, VolumesFrom, Binds          []string
		Mounts                             []container.Mount
	}
	NetworkingConfig struct {
		EndpointsConfig map[string]struct {
			NetworkID string
			Links     []string
		}
	}
}

func create(t *testing.T, p verdict.Policy, body string) (*verdict.Decision, created) {
	t.Helper()
	out, err := decideOn(p, inventory(), "POST", createURL, body)
	if err != nil {
		t.Fatal(err)
	}
	var c created
	if err := json.Unmarshal(out.Body, &c); err != nil {
		t.Fatal(err)
	}
	return out, c
}

// A reference is looked up once. The engine gets one that leads to the same object.
func TestCreateContainerPinsReferences(t *testing.T) {
	_, c := create(t, verdict.Policy{}, `{"Image":"7777","HostConfig":{"NetworkMode":"cccc","PidMode":"container:web",
		"Links":["web","web:w","/web:/api/x"],"VolumesFrom":["web:ro"]},
		"NetworkingConfig":{"EndpointsConfig":{"cccc":{"NetworkID":"`+hexID("9")+`","Links":["web:l"]},"default":{"NetworkID":"`+hexID("9")+`"}}}}`)
	if want := "sha256:" + hexID("7"); c.Image != want {
		t.Errorf("got image %s, want the whole ID", c.Image)
	}
	id := hexID("1")
	if got, want := c.HostConfig.Links, []string{id + ":web", id + ":w", id + ":x"}; !cmp.Equal(got, want) {
		t.Errorf("got links %q, want %q", got, want)
	}
	if c.HostConfig.PidMode != "container:"+id || c.HostConfig.VolumesFrom[0] != id+":ro" {
		t.Errorf("got %q and %q, want full IDs", c.HostConfig.PidMode, c.HostConfig.VolumesFrom)
	}
	if c.HostConfig.NetworkMode != hexID("c") {
		t.Errorf("got network mode %q, want the full ID for a part of it", c.HostConfig.NetworkMode)
	}
	endpoints := c.NetworkingConfig.EndpointsConfig
	if e := endpoints[hexID("c")]; e.NetworkID != hexID("c") || e.Links[0] != id+":l" {
		t.Errorf("got endpoint %+v, want it pinned", e)
	}
	if e := endpoints["default"]; e.NetworkID != "" {
		t.Errorf("got NetworkID %q for the default network, want none", e.NetworkID)
	}
}

// Engines look NetworkMode up by name at every start, unless an endpoint holds
// the ID.
func TestCreateContainerPinsNetworkMode(t *testing.T) {
	_, c := create(t, verdict.Policy{}, host(`"NetworkMode":"net"`))
	if e := c.NetworkingConfig.EndpointsConfig["net"]; c.HostConfig.NetworkMode != "net" || e.NetworkID != hexID("c") {
		t.Errorf("got mode %q and endpoint %+v, want the name and its ID", c.HostConfig.NetworkMode, e)
	}
}

func TestCreateContainerForces(t *testing.T) {
	p := verdict.Policy{CgroupParent: "/ci", Grants: verdict.Grants{ForceUser: "1000:1000", Link: "host:ci", MaxMemory: 1 << 30, MaxNanoCPUs: 2e9, MaxPids: 100}}
	_, c := create(t, p, `{"Image":"busybox:latest","User":"root","Labels":null,"HostConfig":null}`)
	h := c.HostConfig
	if c.User != "1000:1000" || h.CgroupParent != "/ci" || h.Memory != 1<<30 || h.NanoCpus != 2e9 || h.PidsLimit != 100 {
		t.Errorf("got %+v, want the operator's user, cgroup and ceilings", c)
	}
	if want := []string{hexID("3") + ":ci"}; !cmp.Equal(h.Links, want) {
		t.Errorf("got links %q, want %q", h.Links, want)
	}
	if !cmp.Equal(c.Labels, mine) {
		t.Errorf("got labels %v, want the owner's", c.Labels)
	}
	if _, c := create(t, p, host(`"NetworkMode":"none"`)); c.HostConfig.Links != nil {
		t.Errorf("got links %q without a network, want none", c.HostConfig.Links)
	}
}

func TestCreateContainerLabelsAnonymousVolumes(t *testing.T) {
	_, c := create(t, verdict.Policy{}, `{"Image":"postgres","Volumes":{"/a":{},"/b/":{},"/c":{},"/data":{}},
		"HostConfig":{"Binds":["shop_data:/b","/bare"],"Tmpfs":{"/c":""},"VolumesFrom":["web"]}}`)
	var got []string
	for _, m := range c.HostConfig.Mounts {
		got = append(got, m.Type+" "+m.Target)
	}
	want := []string{"volume /b", "volume /bare", "volume /a", "volume /var/lib/postgresql/data"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(c.HostConfig.Binds) > 0 {
		t.Errorf("got binds %q, want none", c.HostConfig.Binds)
	}
}

func TestStartRestartRemove(t *testing.T) {
	testVerdicts(t, "POST", "/containers/web/start", []verdictVector{
		{name: "own"},
		{name: "foreign", target: "/containers/victim/start", want: "No such container: victim"},
		{name: "checkpoint", target: "/containers/web/start?checkpoint=c", want: "checkpoints are directories"},
		{name: "checkpoint directory", target: "/containers/web/start?checkpoint-dir=/etc", want: "checkpoints are directories"},
	})
	testVerdicts(t, "DELETE", "/containers/web?v=1&force=1", []verdictVector{
		{name: "own"},
		{name: "link's name leads to a foreign container", target: "/containers/web/db", want: "No such container: web/db"},
		{name: "link", target: "/containers/web/db?link=1", want: "removal of the link"},
		{name: "no link", target: "/containers/web?link=False"},
	})
	out, err := decideOn(verdict.Policy{}, inventory(), "POST", "/containers/web/start", `{"Privileged":true}`)
	if err != nil || out.Body != nil || out.Name != hexID("1") {
		t.Errorf("got %+v and %v, want no body and the full ID", out, err)
	}
}
