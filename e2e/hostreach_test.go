package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// hostReaching are HostConfigs that would reach the host, or another owner
// through it, on an engine without a guard.
var hostReaching = []string{
	`"Privileged":true`,
	`"privileged":true`,
	`"Privileged":true,"Privileged":false`,
	`"Binds":["/:/host"]`,
	`"Binds":["/etc:/x:ro"]`,
	`"Binds":["/var/run/docker.sock:/s"]`,
	`"Binds":["/run/../run/docker.sock:/s"]`,
	`"Binds":["../../etc:/x"]`,
	`"Mounts":[{"Type":"bind","Source":"/","Target":"/host"}]`,
	`"Mounts":[{"Type":"bind","Source":"/var/lib/docker","Target":"/d","ReadOnly":true}]`,
	`"Mounts":[{"Type":"bind","Source":"/new","Target":"/d","BindOptions":{"CreateMountpoint":true}}]`,
	`"Mounts":[{"Type":"volume","Target":"/v","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"type":"none","o":"bind","device":"/"}}}}]`,
	`"Mounts":[{"Type":"volume","Target":"/v","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"type":"nfs","o":"addr=127.0.0.1","device":":/"}}}}]`,
	`"Mounts":[{"Type":"cluster","Source":"x","Target":"/v"}]`,
	`"Mounts":[{"Type":"npipe","Source":"x","Target":"/v"}]`,
	`"VolumeDriver":"sshfs"`,
	`"NetworkMode":"host"`,
	`"NetworkMode":"HOST"`,
	`"PidMode":"host"`,
	`"IpcMode":"host"`,
	`"UTSMode":"host"`,
	`"UsernsMode":"host"`,
	`"CgroupnsMode":"host"`,
	`"Cgroup":"container:x"`,
	`"CgroupParent":"/"`,
	`"CapAdd":["ALL"]`,
	`"CapAdd":["CAP_SYS_ADMIN"]`,
	`"CapAdd":["sys_ptrace"]`,
	`"Capabilities":["CAP_SYS_ADMIN"]`,
	`"SecurityOpt":["seccomp=unconfined"]`,
	`"SecurityOpt":["seccomp:unconfined"]`,
	`"SecurityOpt":["apparmor=unconfined"]`,
	`"SecurityOpt":["label=disable"]`,
	`"SecurityOpt":["no-new-privileges=false"]`,
	`"SecurityOpt":["writable-cgroups=true"]`,
	`"MaskedPaths":[]`,
	`"ReadonlyPaths":[]`,
	`"Devices":[{"PathOnHost":"/dev/mem","PathInContainer":"/dev/mem","CgroupPermissions":"rwm"}]`,
	`"Devices":[{"PathOnHost":"/dev","PathInContainer":"/dev/x","CgroupPermissions":"r"}]`,
	`"DeviceCgroupRules":["a *:* rwm"]`,
	`"DeviceRequests":[{"Driver":"cdi","DeviceIDs":["x/y=z"]}]`,
	`"DeviceRequests":[{"Count":-1,"Capabilities":[["gpu"]]}]`,
	`"Sysctls":{"kernel.core_pattern":"|/x"}`,
	`"Sysctls":{"kernel/core_pattern":"|/x"}`,
	`"Runtime":"io.containerd.runc.v1"`,
	`"Annotations":{"run.oci.hooks":"x"}`,
	`"LogConfig":{"Type":"syslog","Config":{"syslog-address":"udp://127.0.0.1:514"}}`,
	`"LogConfig":{"Type":"journald","Config":{}}`,
	`"OomScoreAdj":-1000`,
	`"OomKillDisable":true`,
	`"CpuRealtimeRuntime":95000`,
	`"BlkioWeightDevice":[{"Path":"/dev/sda","Weight":10}]`,
	`"BlkioDeviceReadBps":[{"Path":"/etc/shadow","Rate":1}]`,
	`"PortBindings":{"80/tcp":[{"HostPort":"22"}]}`,
	`"PortBindings":{"80/tcp":[{"HostPort":"1-2000"}]}`,
	`"StorageOpt":{"dm.basesize":"1G"}`,
	`"InitPath":"/bin/sh"`,
	`"CredentialSpec":"file://x"`,
	`"Teleport":true`,
}

// No container is made that reaches the host, whether HostConfig stands where it
// belongs, is spelled in another case beside an empty one, or is missing, which
// makes old engines read the top level.
func TestHostReachingCreatesAreRefused(t *testing.T) {
	need(t)
	g := newGuard(t)
	cases := 0
	for _, field := range hostReaching {
		for _, body := range []string{
			`{"Image":%q,"HostConfig":{%s}}`,
			`{"Image":%q,"HostConfig":{},"hostconfig":{%s}}`,
			`{"Image":%q,"HostConfig":{},"HostConfig":{%s}}`,
			`{"Image":%q,%s}`,
			`{"Image":%q,"HostConfig":null,%s}`,
		} {
			body := fmt.Sprintf(body, e2e.common, field)
			if got := g.http(t, "POST", "/containers/create", body); got.status != 400 && got.status != 403 && got.status != 404 || got.contentType != "application/json" {
				t.Errorf("%s: got %+v", body, got)
			}
			cases++
		}
	}
	for _, r := range [][2]string{
		{"/volumes/create", `{"DriverOpts":{"type":"none","o":"bind","device":"/"}}`},
		{"/volumes/create", `{"DriverOpts":{"type":"overlay","device":"overlay","o":"lowerdir=/,upperdir=/tmp,workdir=/tmp"}}`},
		{"/volumes/create", `{"Driver":"x"}`},
		{"/networks/create", `{"Name":"n","Driver":"macvlan","Options":{"parent":"eth0"}}`},
		{"/networks/create", `{"Name":"n","Driver":"host"}`},
		{"/networks/create", `{"Name":"n","Options":{"com.docker.network.bridge.name":"docker0"}}`},
		{"/networks/create", `{"Name":"n","Options":{"com.docker.network.bridge.host_binding_ipv4":"0.0.0.0"}}`},
		{"/networks/create", `{"Name":"n","IPAM":{"Config":[{"Subnet":"1.1.1.0/24"}]}}`},
		{"/plugins/pull?remote=x", `[]`},
		{"/swarm/init", `{"ListenAddr":"127.0.0.1"}`},
		{"/services/create", `{"Name":"n"}`},
		{"/images/create?fromSrc=http://127.0.0.1/x", ""},
		{"/build?networkmode=host", ""},
		{"/build?cgroupparent=/", ""},
	} {
		if got := g.http(t, "POST", r[0], r[1]); got.status != 400 && got.status != 403 {
			t.Errorf("POST %s %s: got %+v", r[0], r[1], got)
		}
		cases++
	}
	own := g.background(t, "sleep 300")
	for _, r := range [][2]string{
		{"/containers/" + own + "/exec", `{"Cmd":["id"],"Privileged":true}`},
		{"/containers/" + own + "/update", `{"OomKillDisable":true}`},
		{"/containers/" + own + "/update", `{"Devices":[{"PathOnHost":"/dev/mem"}]}`},
		{"/containers/" + own + "/start?checkpoint=x&checkpoint-dir=/etc", ""},
		{"/containers/" + own + "/checkpoints", `{"CheckpointID":"x","CheckpointDir":"/tmp"}`},
		{"/v1.23/containers/" + own + "/start", `{"Privileged":true}`},
	} {
		if got := g.http(t, "POST", r[0], r[1]); got.status != 400 && got.status != 403 {
			t.Errorf("POST %s %s: got %+v", r[0], r[1], got)
		}
		cases++
	}
	mine, err := e2e.engine.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", "com.buildkite.sockguard.owner="+g.owner)})
	if err != nil {
		t.Fatal(err)
	}
	if len(mine.Items) != 1 || !strings.HasPrefix(mine.Items[0].ID, own) {
		t.Errorf("got %d containers, want the harmless one", len(mine.Items))
	}
	t.Logf("%d requests that reach the host tried", cases)
}
