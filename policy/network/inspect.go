package network

import (
	"fmt"
	"io"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// Inspect decides GET /networks/{name}. The engine's own networks are shared by
// all, and the operator's container may have joined one of the owner's: only the
// owner's containers are shown.
func Inspect(c *verdict.Case) error {
	o, err := c.Use(verdict.Network, c.Request.Name)
	if err != nil {
		return err
	}
	c.Out.Name = o.ID
	c.Out.Response = func(dst io.Writer, src io.Reader) error { return hideContainers(c, dst, src) }
	return nil
}

// hideContainers copies a network without the containers that are not the
// owner's and without the addresses of a swarm's nodes. A container whose owner
// cannot be told is hidden.
func hideContainers(c *verdict.Case, dst io.Writer, src io.Reader) error {
	network, err := verdict.ReadObject("network inspect", src)
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
			if _, err := c.Own(verdict.Container, id); err != nil {
				containers.Delete(id)
			}
		}
		network.Set("Containers", containers.Marshal())
	}
	_, err = dst.Write(network.Marshal())
	return err
}
