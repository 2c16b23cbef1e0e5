package container

import (
	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// configTable holds every field of a container's Config, the top level of a create
// body and the body of a commit.
var configTable = field.Table[*Draft]{
	{Name: "Hostname", Verdict: field.Allowed},
	{Name: "Domainname", Verdict: field.Allowed},
	{Name: "User", Verdict: field.Checked, Why: "the operator may set one user for all", By: "SetUser"},
	{Name: "AttachStdin", Verdict: field.Allowed},
	{Name: "AttachStdout", Verdict: field.Allowed},
	{Name: "AttachStderr", Verdict: field.Allowed},
	{Name: "ExposedPorts", Verdict: field.Allowed},
	{Name: "Tty", Verdict: field.Allowed},
	{Name: "OpenStdin", Verdict: field.Allowed},
	{Name: "StdinOnce", Verdict: field.Allowed},
	{Name: "Env", Verdict: field.Allowed},
	{Name: "Cmd", Verdict: field.Allowed},
	{Name: "Entrypoint", Verdict: field.Allowed},
	{Name: "Shell", Verdict: field.Allowed},
	{Name: "WorkingDir", Verdict: field.Allowed},
	{Name: "Healthcheck", Verdict: field.Allowed},
	{Name: "ArgsEscaped", Verdict: field.Allowed},
	{Name: "Image", Verdict: field.Checked, Why: "images of other owners are closed", By: "checkImage"},
	{Name: "Volumes", Verdict: field.Checked, Why: "anonymous volumes get a label through HostConfig.Mounts", By: "checkVolumes"},
	{Name: "NetworkDisabled", Verdict: field.Allowed},
	{Name: "MacAddress", Until: "1.51", Verdict: field.Allowed},
	{Name: "OnBuild", Verdict: field.Allowed},
	{Name: "Labels", Verdict: field.Checked, Why: "the owner label is set", By: "ForceLabels"},
	{Name: "StopSignal", Verdict: field.Allowed},
	{Name: "StopTimeout", Verdict: field.Allowed},
	{Name: "HostConfig", Verdict: field.Checked, Why: "see there", Check: leaveOut},
	{Name: "NetworkingConfig", Verdict: field.Checked, Why: "see there", Check: leaveOut},

	// Sent by dockerode and docker-java, read by no engine.
	{Name: "name", Verdict: field.Dropped},
	{Name: "platform", Verdict: field.Dropped},
	{Name: "authConfig", Verdict: field.Dropped},
	{Name: "ipv4Address", Verdict: field.Dropped},
	{Name: "ipv6Address", Verdict: field.Dropped},
	{Name: "PortSpecs", Until: "1.21", Verdict: field.Dropped},
	{Name: "PublishService", Until: "1.21", Verdict: field.Dropped},
}

// CommitConfig decides the body of a commit.
func CommitConfig(c *verdict.Case) (rawjson.Object, error) { return configTable.Body(&Draft{Case: c}) }

// leaveOut drops a member that [Create] decides separately. No engine reads it in
// a commit.
func leaveOut(*Draft, string, jsontext.Value) (jsontext.Value, error) { return nil, nil }
