package policy

import (
	"encoding/json"
	"slices"

	"sockguard/policy/image"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// info decides GET /info. Clients choose features by it (the CLI, Compose,
// buildx, testcontainers, kind), so its shape stays. Members that count or name
// objects of others, the operator's network or the swarm are replaced.
func info(c *verdict.Case) error {
	c.EditObject("info", func(in *rawjson.Object) error {
		counts, err := countInfo(c)
		if err != nil {
			return err
		}
		for name, value := range in.All() {
			text, emptied := emptiedInfo[name]
			count, counted := counts[name]
			switch {
			case slices.Contains(keptInfo, name):
				continue
			case emptied:
				value = jsontext.Value(text)
			case counted:
				value = rawjson.Encode(count)
			default:
				value, err = reduceInfo(c, name, value)
			}
			if err != nil {
				return err
			}
			if value == nil {
				in.Delete(name)
			} else {
				in.Set(name, value)
			}
		}
		return nil
	})
	return nil
}

// keptInfo are the members of /info that pass as they are: what the machine and
// the engine can do. A member that is neither here, nor emptied, counted or
// reduced below is removed, Containerd, DefaultAddressPools, DiscoveredDevices and
// NRI among them.
var keptInfo = []string{
	"ID", "Name", "Driver", "SystemTime", "LoggingDriver", "CgroupDriver", "CgroupVersion",
	"KernelVersion", "OperatingSystem", "OSVersion", "OSType", "Architecture", "NCPU", "MemTotal",
	"MemoryLimit", "SwapLimit", "KernelMemory", "KernelMemoryTCP", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet",
	"PidsLimit", "OomKillDisable", "IPv4Forwarding", "BridgeNfIptables", "BridgeNfIp6tables",
	"IndexServerAddress", "DockerRootDir", "ExperimentalBuild", "Experimental", "ServerVersion", "DefaultRuntime",
	"LiveRestoreEnabled", "Isolation", "InitBinary", "ContainerdCommit", "RuncCommit", "InitCommit", "SecurityOptions",
	"ProductLicense", "FirewallBackend", "Debug",
}

// emptiedInfo are members that tell about the operator or about activity, but that
// clients expect to exist.
var emptiedInfo = map[string]string{
	"NFd": "0", "NGoroutines": "0", "NEventsListener": "0",
	"HttpProxy": `""`, "HttpsProxy": `""`, "NoProxy": `""`, // they may hold credentials
	"Labels": "[]", "GenericResources": "null", "CDISpecDirs": "[]",
	"Warnings": "null", // they tell, for example, that the engine listens on an open port
	"Plugins":  `{"Volume":["local"],"Network":["bridge","host","null"],"Authorization":null,"Log":["json-file","local","none"]}`,
}

// reduceInfo reduces a member to what the owner may see; nil leaves it out.
func reduceInfo(c *verdict.Case, name string, value jsontext.Value) (jsontext.Value, error) {
	switch name {
	case "DriverStatus":
		return driverStatus(value)
	case "RegistryConfig":
		return registryConfig(value)
	case "Runtimes":
		return runtimes(c, value)
	case "Swarm":
		return swarmInfo(c, value)
	}
	return nil, nil
}

// countInfo counts the owner's containers and the images that the owner sees, by
// member of /info.
func countInfo(c *verdict.Case) (map[string]int, error) {
	n := map[string]int{"Containers": 0, "ContainersRunning": 0, "ContainersPaused": 0, "ContainersStopped": 0, "Images": 0}
	err := c.EachOwn(verdict.Container, func(item []byte) error {
		var o struct{ State string }
		err := json.Unmarshal(item, &o)
		n["Containers"]++
		switch o.State {
		case "running":
			n["ContainersRunning"]++
		case "paused":
			n["ContainersPaused"]++
		default:
			n["ContainersStopped"]++
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = c.Inspector.List(c.Ctx, verdict.Image, nil, func(item []byte) error {
		seen, err := image.Visible(c, item)
		if seen {
			n["Images"]++
		}
		return err
	})
	return n, err
}

// driverStatus keeps the rows by which clients tell image stores apart. Others may
// name devices and pools, and how full they are.
func driverStatus(value jsontext.Value) (jsontext.Value, error) {
	var rows [][2]string
	if err := json.Unmarshal(value, &rows); err != nil {
		return nil, err
	}
	shown := []string{"driver-type", "Backing Filesystem", "Supports d_type", "Native Overlay Diff", "Using metacopy", "userxattr"}
	kept := slices.DeleteFunc(rows, func(row [2]string) bool { return !slices.Contains(shown, row[0]) })
	return rawjson.Encode(kept), nil
}

// registryConfig keeps the ranges that need no TLS, and hides mirrors and private
// registries.
func registryConfig(value jsontext.Value) (jsontext.Value, error) {
	type index struct {
		Name             string
		Mirrors          []string
		Secure, Official bool
	}
	var in struct {
		InsecureRegistryCIDRs []string
		IndexConfigs          map[string]index
		Mirrors               []string
	}
	if err := json.Unmarshal(value, &in); err != nil {
		return nil, err
	}
	in.Mirrors = []string{}
	for name, i := range in.IndexConfigs {
		i.Mirrors = []string{}
		in.IndexConfigs[name] = i
		if name != "docker.io" {
			delete(in.IndexConfigs, name)
		}
	}
	return rawjson.Encode(in), nil
}

// runtimes keeps the names of those that a client may choose, and the default.
func runtimes(c *verdict.Case, value jsontext.Value) (jsontext.Value, error) {
	type runtime struct {
		Path string `json:"path"`
	}
	in, err := rawjson.ParseObject(value)
	if err != nil {
		return nil, err
	}
	kept := map[string]runtime{}
	for name := range in.All() {
		if name == "runc" || slices.Contains(c.Runtimes, name) {
			kept[name] = runtime{name}
		}
	}
	return rawjson.Encode(kept), nil
}

// swarmInfo tells whether the swarm API can be used, and hides the nodes.
func swarmInfo(c *verdict.Case, value jsontext.Value) (jsontext.Value, error) {
	type swarm struct {
		NodeID, NodeAddr, LocalNodeState string
		ControlAvailable                 bool
		Error                            string
		RemoteManagers                   []struct{}
	}
	if !c.Swarm {
		return rawjson.Encode(swarm{LocalNodeState: "inactive"}), nil
	}
	var in struct {
		NodeID, LocalNodeState string
		ControlAvailable       bool
	}
	err := json.Unmarshal(value, &in)
	return rawjson.Encode(swarm{NodeID: in.NodeID, LocalNodeState: in.LocalNodeState, ControlAvailable: in.ControlAvailable}), err
}
