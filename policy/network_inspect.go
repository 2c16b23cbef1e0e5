package policy

import (
	"fmt"
	"io"

	"sockguard/rewrite"
)

// maxInspect bounds the answer of a network inspect: about 10000 endpoints.
const maxInspect = 4 << 20

// inspectNetwork decides GET /networks/{name}. The engine's networks are
// everybody's, but only the owner's containers are shown in them.
func inspectNetwork(c *call) error {
	o, err := c.use(Network, c.Request.Name)
	if err != nil {
		return err
	}
	c.out.Name = o.ID
	if !c.owns(o.Labels) {
		c.out.Response = c.hideContainers
	}
	return nil
}

// hideContainers copies a network without the containers that are not the
// owner's. Ownership that cannot be told hides.
func (c *call) hideContainers(dst io.Writer, src io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(src, maxInspect+1))
	if err != nil {
		return err
	}
	if len(data) > maxInspect {
		return fmt.Errorf("network inspect: the answer is larger than %d bytes", maxInspect)
	}
	network, err := rewrite.ParseObject(data)
	if err != nil {
		return fmt.Errorf("network inspect: %w", err)
	}
	if value, ok := network.Get("Containers"); ok {
		containers, err := rewrite.DecodeObject("Containers", value)
		if err != nil {
			return fmt.Errorf("network inspect: %w", err)
		}
		for id := range containers.All() {
			if _, err := c.own(Container, id); err != nil {
				containers.Delete(id)
			}
		}
		network.Set("Containers", containers.Marshal())
	}
	_, err = dst.Write(network.Marshal())
	return err
}
