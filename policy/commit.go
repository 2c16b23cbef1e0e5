package policy

// commit decides POST /commit. The container's labels, the owner's among them,
// pass to the image; what could change them, the body's labels and the changes,
// is judged.
func commit(c *call) error {
	o, err := c.own(Container, c.Query.Get("container"))
	if err != nil {
		return err
	}
	c.out.Query.Set("container", o.ID)
	changes, err := c.checkChanges(c.Query["changes"])
	if err != nil {
		return err
	}
	label, err := c.labelInstruction()
	if err != nil {
		return err
	}
	c.out.Query["changes"] = append([]string{label}, changes...)
	if err := c.mayTag(joinTag(c.Query.Get("repo"), c.Query.Get("tag"))); err != nil {
		return err
	}
	config, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	if err := d.walk("", configTable, &config); err != nil {
		return err
	}
	if config.Len() == 0 {
		return nil // the container's own config
	}
	if err := c.checkLabels(&config); err != nil {
		return err
	}
	c.out.Body = config.Marshal()
	return nil
}
