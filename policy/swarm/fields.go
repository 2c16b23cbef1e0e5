package swarm

import (
	"cmp"
	"slices"
	"strconv"

	"sockguard/policy/container"
	"sockguard/policy/field"
	"sockguard/policy/logdriver"
	"sockguard/policy/network"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// serviceTable is ServiceSpec.
var serviceTable = field.Table[*container.Draft]{
	{Name: "Name", Verdict: field.Checked, Check: field.Read(checkName)},
	{Name: "Labels", Verdict: field.Checked, Why: "the owner label is set", By: "ForceLabels"},
	{Name: "TaskTemplate", Verdict: field.Checked, Why: "see there", Check: checkTask, Zero: true},
	{Name: "Mode", Verdict: field.Checked, Grant: "--max-containers", Check: field.Shape[serviceMode, *container.Draft]},
	{Name: "UpdateConfig", Verdict: field.Allowed},
	{Name: "RollbackConfig", Verdict: field.Allowed},
	{Name: "Networks", Until: "1.44", Verdict: field.Checked, Why: "networks of others", Check: field.Edit(checkNetworks)},
	{Name: "EndpointSpec", Verdict: field.Checked, Why: "ports of the nodes", Grant: "--allow-port", Check: field.Read(checkEndpointSpec)},
}

var taskTable = field.Table[*container.Draft]{
	{Name: "ContainerSpec", Verdict: field.Checked, Why: "see there", Check: checkContainerSpec, Zero: true},
	{Name: "PluginSpec", Verdict: field.Refused, Why: "a plugin runs as root on every node"},
	{Name: "NetworkAttachmentSpec", Verdict: field.Refused, Why: "it attaches a container by its ID"},
	{Name: "Resources", Verdict: field.Checked, Grant: "--max-memory", Check: field.Nested(resourcesTable)},
	{Name: "RestartPolicy", Verdict: field.Allowed},
	{Name: "Placement", Verdict: field.Allowed}, // a choice among the swarm's nodes
	{Name: "Networks", Verdict: field.Checked, Why: "networks of others", Check: field.Edit(checkNetworks)},
	{Name: "LogDriver", Verdict: field.Checked, Why: "remote log drivers use the node's network", Check: field.Read(checkLogDriver)},
	{Name: "ForceUpdate", Verdict: field.Allowed},
	{Name: "Runtime", Verdict: field.Checked, Why: "only containers are open", Check: field.Read(checkRuntime)},
}

var containerSpecTable = field.Table[*container.Draft]{
	{Name: "Image", Verdict: field.Checked, Why: "images of others are closed; it is pinned", By: "pinImage"},
	{Name: "Labels", Verdict: field.Checked, Why: "the owner label is set", By: "ForceLabels"},
	{Name: "Command", Verdict: field.Allowed},
	{Name: "Args", Verdict: field.Allowed},
	{Name: "Hostname", Verdict: field.Allowed},
	{Name: "Env", Verdict: field.Allowed},
	{Name: "Dir", Verdict: field.Allowed},
	{Name: "User", Verdict: field.Checked, Why: "the operator may set one user for all", By: "SetUser"},
	{Name: "Groups", Verdict: field.Checked, Why: "groups of the host matter on its files", Check: container.GroupAdd},
	{Name: "Privileges", Verdict: field.Checked, Why: "they take the confinement of a container away", Grant: "--allow-security-opt", Check: field.Nested(privilegesTable)},
	{Name: "Init", Verdict: field.Allowed},
	{Name: "StopSignal", Verdict: field.Allowed},
	{Name: "TTY", Verdict: field.Allowed},
	{Name: "OpenStdin", Verdict: field.Allowed},
	{Name: "ReadOnly", Verdict: field.Allowed},
	{Name: "Mounts", Verdict: field.Checked, Why: "host paths and volumes", Grant: "--allow-bind", Check: field.Read(checkMounts)},
	{Name: "StopGracePeriod", Verdict: field.Allowed},
	{Name: "Healthcheck", Verdict: field.Allowed},
	{Name: "Hosts", Verdict: field.Allowed},
	{Name: "DNSConfig", Verdict: field.Allowed},
	{Name: "Secrets", Verdict: field.Checked, Why: "secrets of others", Check: checkFileRefs(verdict.Secret)},
	{Name: "Configs", Verdict: field.Checked, Why: "configs of others", Check: checkFileRefs(verdict.Config)},
	{Name: "Isolation", Verdict: field.Allowed},
	{Name: "Sysctls", Verdict: field.Checked, Why: "settings of the kernel", Grant: "--allow-sysctl", Check: field.Read(container.Sysctls)},
	{Name: "CapabilityAdd", Verdict: field.Checked, Why: "capabilities reach the host", Grant: "--allow-capability", Check: container.CapAdd},
	{Name: "CapabilityDrop", Verdict: field.Allowed},
	{Name: "Ulimits", Verdict: field.Checked, Why: "real time takes the CPU away from the host", Check: field.Read(container.Ulimits)},
	{Name: "OomScoreAdj", Verdict: field.Checked, Why: "below 0 the host's own processes die first", Check: field.Read(container.OomScoreAdj)},
}

var privilegesTable = field.Table[*container.Draft]{
	{Name: "CredentialSpec", Verdict: field.Refused, Why: "a file of the host's"},
	{Name: "SELinuxContext", Verdict: field.Refused, Why: "it takes the confinement of a container away"},
	{Name: "Seccomp", Verdict: field.Checked, Check: confinement("seccomp=unconfined", "unconfined")},
	{Name: "AppArmor", Verdict: field.Checked, Check: confinement("apparmor=unconfined", "disabled")},
	{Name: "NoNewPrivileges", Verdict: field.Allowed},
}

var resourcesTable = field.Table[*container.Draft]{
	{Name: "Limits", Verdict: field.Checked, Check: field.Nested(limitsTable)},
	{Name: "Reservations", Verdict: field.Checked, Check: field.Nested(limitsTable)},
	{Name: "SwapBytes", Since: "1.52", Verdict: field.Checked, Check: field.Shape[int64, *container.Draft]},
	{Name: "MemorySwappiness", Since: "1.52", Verdict: field.Allowed},
}

var limitsTable = field.Table[*container.Draft]{
	{Name: "NanoCPUs", Verdict: field.Checked, Check: field.Shape[int64, *container.Draft]},
	{Name: "MemoryBytes", Verdict: field.Checked, Check: field.Shape[int64, *container.Draft]},
	{Name: "Pids", Since: "1.41", Verdict: field.Checked, Check: field.Shape[int64, *container.Draft]},
	{Name: "GenericResources", Verdict: field.Refused, Why: "devices of the nodes"},
}

func checkName(_ *container.Draft, path, name string) error {
	return verdict.CheckName(verdict.Service, path, name)
}

func checkRuntime(_ *container.Draft, path, runtime string) error {
	if runtime == "container" {
		return nil
	}
	return field.Deny(path, verdict.Quoted(runtime), "only containers are open", "")
}

type attachment struct {
	Target     string
	Aliases    []string          `json:",omitzero"`
	DriverOpts map[string]string `json:",omitzero"`
}

// checkNetworks pins the networks of a service by ID.
func checkNetworks(d *container.Draft, path string, networks []attachment) ([]attachment, error) {
	for i, n := range networks {
		o, name, err := network.Attachable(d.Case, path, n.Target)
		switch {
		case err != nil:
			return nil, err
		case len(n.DriverOpts) > 0:
			return nil, field.Deny(path+".DriverOpts", "", "they set the kernel's network options, sysctls among them", "")
		case o.Name == "host":
			d.NetMode = "host"
		}
		networks[i].Target = cmp.Or(o.ID, name)
	}
	return networks, nil
}

type endpointSpec struct {
	Mode  string
	Ports []struct {
		Name, Protocol, PublishMode string
		TargetPort, PublishedPort   uint16
	}
}

func checkEndpointSpec(d *container.Draft, path string, spec endpointSpec) error {
	for _, p := range spec.Ports {
		if err := container.CheckPort(d.Case, path+".Ports", strconv.Itoa(int(p.PublishedPort))); err != nil {
			return err
		}
	}
	return nil
}

type logDriver struct {
	Name    string
	Options map[string]string
}

func checkLogDriver(_ *container.Draft, path string, log logDriver) error {
	return logdriver.Check(path+".Name", log.Name, path+".Options", log.Options)
}

type profile struct {
	Mode    string
	Profile jsontext.Value
}

// confinement permits the default mode. It permits the mode that turns the
// confinement off if the operator granted the option of containers that does.
func confinement(option, off string) field.Check[*container.Draft] {
	return field.Read(func(d *container.Draft, path string, p profile) error {
		switch {
		case p.Profile != nil && !rawjson.Empty(p.Profile):
			return field.Deny(path+".Profile", "", "a profile of one's own may confine nothing", "")
		case p.Mode == "" || p.Mode == "default", p.Mode == off && slices.Contains(d.SecurityOpts, option):
			return nil
		}
		return field.Deny(path+".Mode", verdict.Quoted(p.Mode), "it takes the confinement of a container away", "--allow-security-opt "+option)
	})
}
