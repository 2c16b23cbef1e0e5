package policy

// ownContainer decides routes on one container: it must be the owner's, and
// the full ID goes upstream.
func ownContainer(c *call) error {
	o, err := c.own(Container, c.Request.Name)
	c.out.Name = o.ID
	return err
}

// ownExec decides routes on one exec, which belongs to its container's owner.
func ownExec(c *call) error {
	o, err := c.own(Exec, c.Request.Name)
	c.out.Name = o.ID
	return err
}

// ownVolume decides routes on one volume. A volume's name is its identity;
// there is no ID to pin.
func ownVolume(c *call) error {
	o, err := c.own(Volume, c.Request.Name)
	c.out.Name = o.ID
	return err
}

// startExec decides POST /exec/{name}/start. The body goes ahead of the stream
// and is built anew.
func startExec(c *call) error {
	if err := ownExec(c); err != nil {
		return err
	}
	var body struct {
		Detach      bool
		Tty         bool
		ConsoleSize *[2]uint `json:",omitempty"`
	}
	if err := c.decodeBody(&body); err != nil {
		return err
	}
	return c.encodeBody(body)
}
