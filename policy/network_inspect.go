package policy

import (
	"fmt"
	"io"

	"sockguard/rewrite/rawjson"
)

// inspectNetwork decides GET /networks/{name}. The engine's networks are
// everybody's, and the operator's container may have joined one of the owner's:
// only the owner's containers are shown.
func inspectNetwork(c *call) error {
	o, err := c.use(Network, c.Request.Name)
	if err != nil {
		return err
	}
	c.out.Name = o.ID
	c.out.Response = c.hideContainers
	return nil
}

// hideContainers copies a network without the containers that are not the
// owner's and the addresses of a swarm's nodes. Ownership that cannot be told
// hides.
func (c *call) hideContainers(dst io.Writer, src io.Reader) error {
	network, err := readObject("network inspect", src)
	if err != nil {
		return err
	}
	network.Delete("Peers")
	if value, ok := network.Get("Containers"); ok {
		containers, err := rawjson.DecodeObject("Containers", value)
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
