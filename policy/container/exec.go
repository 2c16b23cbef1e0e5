package container

import (
	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

var execTable = field.Table[*verdict.Case]{
	{Name: "Privileged", Verdict: field.Refused, Why: "a privileged process is root on the host"},
	{Name: "User", Verdict: field.Checked, Why: "the operator may set one user for all", By: "SetUser"},
	{Name: "Cmd", Verdict: field.Allowed},
	{Name: "Env", Verdict: field.Allowed},
	{Name: "WorkingDir", Verdict: field.Allowed},
	{Name: "Tty", Verdict: field.Allowed},
	{Name: "ConsoleSize", Since: "1.42", Verdict: field.Allowed},
	{Name: "AttachStdin", Verdict: field.Allowed},
	{Name: "AttachStdout", Verdict: field.Allowed},
	{Name: "AttachStderr", Verdict: field.Allowed},
	{Name: "Detach", Verdict: field.Allowed},
	{Name: "DetachKeys", Verdict: field.Allowed},

	// Sent by docker-py, docker-java and dockerode, read by no engine.
	{Name: "Container", Verdict: field.Dropped},
	{Name: "containerId", Verdict: field.Dropped},
	{Name: "id", Verdict: field.Dropped},
}

// CreateExec decides POST /containers/{name}/exec.
func CreateExec(c *verdict.Case) error {
	if _, err := c.OwnNamed(verdict.Container); err != nil {
		return err
	}
	body, err := execTable.Body(c)
	if err != nil {
		return err
	}
	SetUser(c, &body)
	c.Out.Body = body.Marshal()
	return nil
}

// StartExec decides POST /exec/{name}/start.
func StartExec(c *verdict.Case) error {
	if _, err := c.OwnNamed(verdict.Exec); err != nil {
		return err
	}
	var body struct {
		Detach      bool
		Tty         bool
		ConsoleSize *[2]uint `json:",omitempty"`
	}
	if err := c.DecodeBody(&body); err != nil {
		return err
	}
	return c.EncodeBody(body)
}
