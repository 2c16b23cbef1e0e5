package policy

var execTable = []Field{
	{Name: "Privileged", Verdict: Refused, Why: "a privileged process is root on the host"},
	{Name: "User", Verdict: Allowed}, // createExec may set it
	{Name: "Cmd", Verdict: Allowed},
	{Name: "Env", Verdict: Allowed},
	{Name: "WorkingDir", Verdict: Allowed},
	{Name: "Tty", Verdict: Allowed},
	{Name: "ConsoleSize", Since: "1.42", Verdict: Allowed},
	{Name: "AttachStdin", Verdict: Allowed},
	{Name: "AttachStdout", Verdict: Allowed},
	{Name: "AttachStderr", Verdict: Allowed},
	{Name: "Detach", Verdict: Allowed},
	{Name: "DetachKeys", Verdict: Allowed},

	// What clients send and no engine reads: docker-py, docker-java, dockerode.
	{Name: "Container", Verdict: Dropped},
	{Name: "containerId", Verdict: Dropped},
	{Name: "id", Verdict: Dropped},
}

// createExec decides POST /containers/{name}/exec.
func createExec(c *call) error {
	o, err := c.own(Container, c.Request.Name)
	if err != nil {
		return err
	}
	body, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	if err := d.walk("", execTable, &body); err != nil {
		return err
	}
	d.forceUser(&body)
	c.out.Name, c.out.Body = o.ID, body.Marshal()
	return nil
}
