package policy

import (
	"iter"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// ConfigTable yields every field of a container's Config, the top level of a
// create body and the body of a commit.
func ConfigTable() iter.Seq[Field] { return slices.Values(configTable) }

// What is checked here is checked by createContainer, which knows the whole.
var configTable = []Field{
	{Name: "Hostname", Verdict: Allowed},
	{Name: "Domainname", Verdict: Allowed},
	{Name: "User", Verdict: Checked, Why: "the operator may set one user for all"},
	{Name: "AttachStdin", Verdict: Allowed},
	{Name: "AttachStdout", Verdict: Allowed},
	{Name: "AttachStderr", Verdict: Allowed},
	{Name: "ExposedPorts", Verdict: Allowed},
	{Name: "Tty", Verdict: Allowed},
	{Name: "OpenStdin", Verdict: Allowed},
	{Name: "StdinOnce", Verdict: Allowed},
	{Name: "Env", Verdict: Allowed},
	{Name: "Cmd", Verdict: Allowed},
	{Name: "Entrypoint", Verdict: Allowed},
	{Name: "Shell", Verdict: Allowed},
	{Name: "WorkingDir", Verdict: Allowed},
	{Name: "Healthcheck", Verdict: Allowed},
	{Name: "ArgsEscaped", Verdict: Allowed},
	{Name: "Image", Verdict: Checked, Why: "images of other owners are closed"},
	{Name: "Volumes", Verdict: Checked, Why: "anonymous volumes get a label through HostConfig.Mounts"},
	{Name: "NetworkDisabled", Verdict: Allowed},
	{Name: "MacAddress", Until: "1.51", Verdict: Allowed},
	{Name: "OnBuild", Verdict: Allowed},
	{Name: "Labels", Verdict: Checked, Why: "the owner label is set"},
	{Name: "StopSignal", Verdict: Allowed},
	{Name: "StopTimeout", Verdict: Allowed},
	{Name: "HostConfig", Verdict: Checked, Why: "see there", check: leaveOut},
	{Name: "NetworkingConfig", Verdict: Checked, Why: "see there", check: leaveOut},

	// What clients send and no engine reads: dockerode, docker-java.
	{Name: "name", Verdict: Dropped},
	{Name: "platform", Verdict: Dropped},
	{Name: "authConfig", Verdict: Dropped},
	{Name: "ipv4Address", Verdict: Dropped},
	{Name: "ipv6Address", Verdict: Dropped},
	{Name: "PortSpecs", Until: "1.21", Verdict: Dropped},
	{Name: "PublishService", Until: "1.21", Verdict: Dropped},
}

// leaveOut drops what createContainer took out of the body before, and what no
// engine reads in a commit.
func leaveOut(*draft, string, jsontext.Value) (jsontext.Value, error) { return nil, nil }
