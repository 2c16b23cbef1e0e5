package policy

import (
	"testing"

	"sockguard/policy/verdict"
)

func TestCeilings(t *testing.T) {
	p := verdict.Policy{Grants: verdict.Grants{MaxMemory: 1 << 30, MaxNanoCPUs: 2e9, MaxPids: 100}}
	testVerdicts(t, "POST", createURL, []verdictVector{
		{name: "within", policy: p, body: host(`"Memory":1073741824,"MemorySwap":2147483648,"NanoCpus":2000000000,"PidsLimit":100`)},
		{name: "memory", policy: p, body: host(`"Memory":1073741825`), want: "HostConfig.Memory 1073741825: the ceiling of this socket is 1073741824"},
		{name: "negative memory", policy: p, body: host(`"Memory":-1`), want: "HostConfig.Memory"},
		{name: "unlimited swap", policy: p, body: host(`"MemorySwap":-1`), want: "HostConfig.MemorySwap"},
		{name: "CPUs", policy: p, body: host(`"NanoCpus":2000000001`), want: "HostConfig.NanoCpus"},
		{name: "quota", policy: p, body: host(`"CpuQuota":200001`), want: "HostConfig.CpuQuota"},
		{name: "quota in its period", policy: p, body: host(`"CpuQuota":20000,"CpuPeriod":10000`)},
		{name: "quota in a short period", policy: p, body: host(`"CpuQuota":200000,"CpuPeriod":10000`), want: "HostConfig.CpuQuota"},
		{name: "no quota", policy: p, body: host(`"CpuQuota":-1`), want: "HostConfig.CpuQuota"},
		{name: "processes", policy: p, body: host(`"PidsLimit":101`), want: "HostConfig.PidsLimit"},
		{name: "no ceilings", body: host(`"Memory":9007199254740993,"MemorySwap":-1,"PidsLimit":-1,"CpuQuota":-1`)},
		{name: "no number", policy: p, body: host(`"Memory":"1g"`), want: "HostConfig.Memory: a string does not fit"},
	})
	testVerdicts(t, "POST", "/containers/web/update", []verdictVector{
		{name: "within", policy: p, body: `{"Memory":1048576,"RestartPolicy":{"Name":"always"}}`},
		{name: "memory", policy: p, body: `{"Memory":1073741825}`, want: "Memory 1073741825"},
		{name: "quota alone", policy: p, body: `{"CpuQuota":100000}`, want: "set both"},
		{name: "period alone", policy: p, body: `{"CpuPeriod":1000}`, want: "set both"},
		{name: "quota and period", policy: p, body: `{"CpuQuota":100000,"CpuPeriod":100000}`},
		{name: "no process limit", policy: p, body: `{"PidsLimit":-1}`, want: "PidsLimit"},
		{name: "zero process limit", policy: p, body: `{"PidsLimit":0}`, want: "PidsLimit"},
		{name: "same process limit", policy: p, body: `{"PidsLimit":null}`},
		{name: "no field of an update", body: `{"Privileged":true}`, want: "does not know"},
		{name: "device", body: `{"Devices":[{"PathOnHost":"/dev/mem"}]}`, want: "--allow-device"},
		{name: "OOM killer", body: `{"OomKillDisable":true}`, want: "OomKillDisable"},
		{name: "foreign", target: "/containers/victim/update", body: `{"Memory":1}`, want: "No such container: victim"},
	})
}
