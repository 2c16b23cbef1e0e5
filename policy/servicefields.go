package policy

import (
	"iter"
	"slices"
	"strconv"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// serviceTable is ServiceSpec.
var serviceTable = []Field{
	{Name: "Name", Verdict: Checked, check: checkServiceName},
	{Name: "Labels", Verdict: Allowed}, // decideService sets them
	{Name: "TaskTemplate", Verdict: Checked, Why: "see there", check: nested(taskTable)},
	{Name: "Mode", Verdict: Checked, Grant: "--max-containers", check: checkServiceMode},
	{Name: "UpdateConfig", Verdict: Allowed},
	{Name: "RollbackConfig", Verdict: Allowed},
	{Name: "Networks", Until: "1.44", Verdict: Checked, Why: "networks of others", check: checkServiceNetworks},
	{Name: "EndpointSpec", Verdict: Checked, Why: "ports of the nodes", Grant: "--allow-port", check: checkEndpointSpec},
}

var taskTable = []Field{
	{Name: "ContainerSpec", Verdict: Checked, Why: "see there", check: checkContainerSpec},
	{Name: "PluginSpec", Verdict: Refused, Why: "a plugin runs as root on every node"},
	{Name: "NetworkAttachmentSpec", Verdict: Refused, Why: "it attaches a container by its ID"},
	{Name: "Resources", Verdict: Checked, Grant: "--max-memory", check: nested(resourcesTable)},
	{Name: "RestartPolicy", Verdict: Allowed},
	{Name: "Placement", Verdict: Allowed}, // a choice among the swarm's nodes
	{Name: "Networks", Verdict: Checked, Why: "networks of others", check: checkServiceNetworks},
	{Name: "LogDriver", Verdict: Checked, Why: "remote log drivers use the node's network", check: checkLogDriver},
	{Name: "ForceUpdate", Verdict: Allowed},
	{Name: "Runtime", Verdict: Checked, Why: "only containers are open", check: checkTaskRuntime},
}

// ContainerSpecTable yields every field of the container of a service, with the
// verdict on it.
func ContainerSpecTable() iter.Seq[Field] { return slices.Values(containerSpecTable) }

var containerSpecTable = []Field{
	{Name: "Image", Verdict: Checked, Why: "images of others are closed; it is pinned"},
	{Name: "Labels", Verdict: Checked, Why: "the owner label is set"},
	{Name: "Command", Verdict: Allowed},
	{Name: "Args", Verdict: Allowed},
	{Name: "Hostname", Verdict: Allowed},
	{Name: "Env", Verdict: Allowed},
	{Name: "Dir", Verdict: Allowed},
	{Name: "User", Verdict: Checked, Why: "the operator may set one user for all"},
	{Name: "Groups", Verdict: Checked, Why: "groups of the host matter on its files", check: checkGroupAdd},
	{Name: "Privileges", Verdict: Checked, Why: "they take the confinement of a container away", Grant: "--allow-security-opt", check: nested(privilegesTable)},
	{Name: "Init", Verdict: Allowed},
	{Name: "StopSignal", Verdict: Allowed},
	{Name: "TTY", Verdict: Allowed},
	{Name: "OpenStdin", Verdict: Allowed},
	{Name: "ReadOnly", Verdict: Allowed},
	{Name: "Mounts", Verdict: Checked, Why: "host paths and volumes", Grant: "--allow-bind", check: checkServiceMounts},
	{Name: "StopGracePeriod", Verdict: Allowed},
	{Name: "Healthcheck", Verdict: Allowed},
	{Name: "Hosts", Verdict: Allowed},
	{Name: "DNSConfig", Verdict: Allowed},
	{Name: "Secrets", Verdict: Checked, Why: "secrets of others", check: checkSecretRefs},
	{Name: "Configs", Verdict: Checked, Why: "configs of others", check: checkConfigRefs},
	{Name: "Isolation", Verdict: Allowed},
	{Name: "Sysctls", Verdict: Checked, Why: "settings of the kernel", Grant: "--allow-sysctl", check: checkSysctls},
	{Name: "CapabilityAdd", Verdict: Checked, Why: "capabilities reach the host", Grant: "--allow-capability", check: checkCapAdd},
	{Name: "CapabilityDrop", Verdict: Allowed},
	{Name: "Ulimits", Verdict: Allowed},
	{Name: "OomScoreAdj", Verdict: Checked, Why: "below 0 the host's own processes die first", check: checkOomScoreAdj},
}

var privilegesTable = []Field{
	{Name: "CredentialSpec", Verdict: Refused, Why: "a file of the host's"},
	{Name: "SELinuxContext", Verdict: Refused, Why: "it takes the confinement of a container away"},
	{Name: "Seccomp", Verdict: Checked, check: confinement("seccomp=unconfined", "unconfined")},
	{Name: "AppArmor", Verdict: Checked, check: confinement("apparmor=unconfined", "disabled")},
	{Name: "NoNewPrivileges", Verdict: Allowed},
}

var resourcesTable = []Field{
	{Name: "Limits", Verdict: Checked, check: nested(limitsTable)},
	{Name: "Reservations", Verdict: Checked, check: nested(limitsTable)},
	{Name: "SwapBytes", Since: "1.52", Verdict: Checked, check: checkNumber},
	{Name: "MemorySwappiness", Since: "1.52", Verdict: Allowed},
}

var limitsTable = []Field{
	{Name: "NanoCPUs", Verdict: Checked, check: checkNumber},
	{Name: "MemoryBytes", Verdict: Checked, check: checkNumber},
	{Name: "Pids", Since: "1.41", Verdict: Checked, check: checkNumber},
	{Name: "GenericResources", Verdict: Refused, Why: "devices of the nodes"},
}

// nested takes an object through a table of its own.
func nested(table []Field) func(*draft, string, jsontext.Value) (jsontext.Value, error) {
	return func(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
		o, err := decodeObject(path, v)
		if err != nil {
			return nil, err
		}
		err = d.walk(path, table, &o)
		return o.Marshal(), err
	}
}

func checkServiceName(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	name, err := decode[string](path, v)
	if err == nil && !validName(name) {
		err = bad("service", "%s %s: it is no name for a service; use letters, digits, and _ . - after the first", path, quoted(name))
	}
	return v, err
}

func checkServiceMode(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := decode[serviceMode](path, v)
	return v, err
}

func checkTaskRuntime(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	runtime, err := decode[string](path, v)
	if err == nil && runtime != "container" {
		err = denyField(path, quoted(runtime), "only containers are open", "")
	}
	return v, err
}

// checkServiceNetworks pins the networks of a service by ID.
func checkServiceNetworks(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	networks, err := decode[[]struct {
		Target     string
		Aliases    []string          `json:",omitzero"`
		DriverOpts map[string]string `json:",omitzero"`
	}](path, v)
	if err != nil {
		return nil, err
	}
	for i := range networks {
		n := &networks[i]
		o, name, err := d.attachable(path, n.Target)
		switch {
		case err != nil:
			return nil, err
		case len(n.DriverOpts) > 0:
			return nil, denyField(path+".DriverOpts", "", "they set the kernel's network options, sysctls among them", "")
		case o.Name == "host":
			d.netMode = "host"
		}
		if n.Target = name; o.ID != "" {
			n.Target = o.ID
		}
	}
	return rawjson.Encode(networks), nil
}

func checkEndpointSpec(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	spec, err := decode[struct {
		Mode  string
		Ports []struct {
			Name, Protocol, PublishMode string
			TargetPort, PublishedPort   uint16
		}
	}](path, v)
	if err != nil {
		return nil, err
	}
	ranges := d.PublishedPorts
	if ranges == nil {
		ranges = unprivileged
	}
	for _, p := range spec.Ports {
		if err := checkPort(path+".Ports", strconv.Itoa(int(p.PublishedPort)), ranges); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func checkLogDriver(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	log, err := decode[struct {
		Name    string
		Options map[string]string
	}](path, v)
	if err != nil {
		return nil, err
	}
	return v, checkLog(path+".Name", log.Name, path+".Options", log.Options)
}

// confinement permits the default mode, and the one that turns the confinement
// off where the operator granted the option that does so for containers.
func confinement(option, off string) func(*draft, string, jsontext.Value) (jsontext.Value, error) {
	return func(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
		c, err := decode[struct {
			Mode    string
			Profile jsontext.Value `json:",omitzero"`
		}](path, v)
		switch {
		case err != nil:
			return nil, err
		case c.Profile != nil && !rawjson.Empty(c.Profile):
			return nil, denyField(path+".Profile", "", "a profile of one's own may confine nothing", "")
		case c.Mode == "" || c.Mode == "default", c.Mode == off && slices.Contains(d.SecurityOpts, option):
			return v, nil
		}
		return nil, denyField(path+".Mode", quoted(c.Mode), "it takes the confinement of a container away", "--allow-security-opt "+option)
	}
}
