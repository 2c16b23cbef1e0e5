package image

import (
	"sockguard/policy/container"
	"sockguard/policy/verdict"
)

// Commit decides POST /commit. The container's labels, the owner's among them,
// pass to the image. The body's labels and the changes, which could change them,
// are judged.
func Commit(c *verdict.Case) error {
	o, err := c.Own(verdict.Container, c.Query.Get("container"))
	if err != nil {
		return err
	}
	c.Out.Query.Set("container", o.ID)
	if err := labelChanges(c); err != nil {
		return err
	}
	if err := mayTag(c, joinTag(c.Query.Get("repo"), c.Query.Get("tag"))); err != nil {
		return err
	}
	config, err := c.ParseBody()
	if err != nil {
		return err
	}
	if err := container.WalkConfig(c, &config); err != nil {
		return err
	}
	if config.Len() == 0 {
		return nil // the container's own config
	}
	if err := c.ForceLabels(&config); err != nil {
		return err
	}
	c.Out.Body = config.Marshal()
	return nil
}
