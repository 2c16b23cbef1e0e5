package swarm

import (
	"iter"
	"slices"
	"strconv"

	"sockguard/policy/container"
	"sockguard/policy/field"
	"sockguard/policy/network"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// serviceTable is ServiceSpec.
var serviceTable = field.Table[*container.Draft]{
	{Name: "Name", Verdict: field.Checked, Check: checkName},
	{Name: "Labels", Verdict: field.Checked, Why: "the owner label is set", By: "ForceLabels"},
	{Name: "TaskTemplate", Verdict: field.Checked, Why: "see there", Check: field.Nested(taskTable)},
	{Name: "Mode", Verdict: field.Checked, Grant: "--max-containers", Check: checkMode},
	{Name: "UpdateConfig", Verdict: field.Allowed},
	{Name: "RollbackConfig", Verdict: field.Allowed},
	{Name: "Networks", Until: "1.44", Verdict: field.Checked, Why: "networks of others", Check: checkNetworks},
	{Name: "EndpointSpec", Verdict: field.Checked, Why: "ports of the nodes", Grant: "--allow-port", Check: checkEndpointSpec},
}

var taskTable = field.Table[*container.Draft]{
	{Name: "ContainerSpec", Verdict: field.Checked, Why: "see there", Check: checkContainerSpec},
	{Name: "PluginSpec", Verdict: field.Refused, Why: "a plugin runs as root on every node"},
	{Name: "NetworkAttachmentSpec", Verdict: field.Refused, Why: "it attaches a container by its ID"},
	{Name: "Resources", Verdict: field.Checked, Grant: "--max-memory", Check: field.Nested(resourcesTable)},
	{Name: "RestartPolicy", Verdict: field.Allowed},
	{Name: "Placement", Verdict: field.Allowed}, // a choice among the swarm's nodes
	{Name: "Networks", Verdict: field.Checked, Why: "networks of others", Check: checkNetworks},
	{Name: "LogDriver", Verdict: field.Checked, Why: "remote log drivers use the node's network", Check: checkLogDriver},
	{Name: "ForceUpdate", Verdict: field.Allowed},
	{Name: "Runtime", Verdict: field.Checked, Why: "only containers are open", Check: checkRuntime},
}

// ContainerSpecTable yields every field of the container of a service, with the
// verdict on it.
func ContainerSpecTable() iter.Seq[field.Field[*container.Draft]] {
	return slices.Values(containerSpecTable)
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
	{Name: "Mounts", Verdict: field.Checked, Why: "host paths and volumes", Grant: "--allow-bind", Check: checkMounts},
	{Name: "StopGracePeriod", Verdict: field.Allowed},
	{Name: "Healthcheck", Verdict: field.Allowed},
	{Name: "Hosts", Verdict: field.Allowed},
	{Name: "DNSConfig", Verdict: field.Allowed},
	{Name: "Secrets", Verdict: field.Checked, Why: "secrets of others", Check: checkSecretRefs},
	{Name: "Configs", Verdict: field.Checked, Why: "configs of others", Check: checkConfigRefs},
	{Name: "Isolation", Verdict: field.Allowed},
	{Name: "Sysctls", Verdict: field.Checked, Why: "settings of the kernel", Grant: "--allow-sysctl", Check: container.Sysctls},
	{Name: "CapabilityAdd", Verdict: field.Checked, Why: "capabilities reach the host", Grant: "--allow-capability", Check: container.CapAdd},
	{Name: "CapabilityDrop", Verdict: field.Allowed},
	{Name: "Ulimits", Verdict: field.Allowed},
	{Name: "OomScoreAdj", Verdict: field.Checked, Why: "below 0 the host's own processes die first", Check: container.OomScoreAdj},
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
	{Name: "SwapBytes", Since: "1.52", Verdict: field.Checked, Check: field.Number[*container.Draft]},
	{Name: "MemorySwappiness", Since: "1.52", Verdict: field.Allowed},
}

var limitsTable = field.Table[*container.Draft]{
	{Name: "NanoCPUs", Verdict: field.Checked, Check: field.Number[*container.Draft]},
	{Name: "MemoryBytes", Verdict: field.Checked, Check: field.Number[*container.Draft]},
	{Name: "Pids", Since: "1.41", Verdict: field.Checked, Check: field.Number[*container.Draft]},
	{Name: "GenericResources", Verdict: field.Refused, Why: "devices of the nodes"},
}

func checkName(_ *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	name, err := verdict.Decode[string](path, v)
	if err == nil && !verdict.ValidName(name) {
		err = verdict.Bad("service", "%s %s: it is no name for a service; use letters, digits, and _ . - after the first", path, verdict.Quoted(name))
	}
	return v, err
}

func checkMode(_ *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := verdict.Decode[serviceMode](path, v)
	return v, err
}

func checkRuntime(_ *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	runtime, err := verdict.Decode[string](path, v)
	if err == nil && runtime != "container" {
		err = field.Deny(path, verdict.Quoted(runtime), "only containers are open", "")
	}
	return v, err
}

// checkNetworks pins the networks of a service by ID.
func checkNetworks(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	networks, err := verdict.Decode[[]struct {
		Target     string
		Aliases    []string          `json:",omitzero"`
		DriverOpts map[string]string `json:",omitzero"`
	}](path, v)
	if err != nil {
		return nil, err
	}
	for i := range networks {
		n := &networks[i]
		o, name, err := network.Attachable(d.Case, path, n.Target)
		switch {
		case err != nil:
			return nil, err
		case len(n.DriverOpts) > 0:
			return nil, field.Deny(path+".DriverOpts", "", "they set the kernel's network options, sysctls among them", "")
		case o.Name == "host":
			d.NetMode = "host"
		}
		if n.Target = name; o.ID != "" {
			n.Target = o.ID
		}
	}
	return rawjson.Encode(networks), nil
}

func checkEndpointSpec(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	spec, err := verdict.Decode[struct {
		Mode  string
		Ports []struct {
			Name, Protocol, PublishMode string
			TargetPort, PublishedPort   uint16
		}
	}](path, v)
	if err != nil {
		return nil, err
	}
	for _, p := range spec.Ports {
		if err := container.CheckPort(d.Case, path+".Ports", strconv.Itoa(int(p.PublishedPort))); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func checkLogDriver(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	log, err := verdict.Decode[struct {
		Name    string
		Options map[string]string
	}](path, v)
	if err != nil {
		return nil, err
	}
	return v, container.CheckLog(path+".Name", log.Name, path+".Options", log.Options)
}

// confinement permits the default mode. It permits the mode that turns the
// confinement off if the operator granted the option of containers that does.
func confinement(option, off string) func(*container.Draft, string, jsontext.Value) (jsontext.Value, error) {
	return func(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
		c, err := verdict.Decode[struct {
			Mode    string
			Profile jsontext.Value `json:",omitzero"`
		}](path, v)
		switch {
		case err != nil:
			return nil, err
		case c.Profile != nil && !rawjson.Empty(c.Profile):
			return nil, field.Deny(path+".Profile", "", "a profile of one's own may confine nothing", "")
		case c.Mode == "" || c.Mode == "default", c.Mode == off && slices.Contains(d.SecurityOpts, option):
			return v, nil
		}
		return nil, field.Deny(path+".Mode", verdict.Quoted(c.Mode), "it takes the confinement of a container away", "--allow-security-opt "+option)
	}
}
