package network

import (
	"slices"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

var connectTable = field.Table[*verdict.Case]{
	{Name: "Container", Verdict: field.Checked, Check: checkContainer},
	{Name: "EndpointConfig", Verdict: field.Checked, By: "Connect"},
	{Name: "Force", Verdict: field.Allowed},
}

// Connect decides POST /networks/{name}/connect. The network and the container
// must both be the owner's; of the engine's own networks only bridge can be
// joined.
func Connect(c *verdict.Case) error {
	network, err := c.Use(verdict.Network, c.Request.Name)
	if err != nil {
		return err
	}
	if err := mayChange(network, "bridge"); err != nil {
		return err
	}
	o, err := parseConnect(c)
	if err != nil {
		return err
	}
	value, _ := o.Get("EndpointConfig")
	settings, err := Endpoint(c, "EndpointConfig", value, network)
	if err != nil {
		return err
	}
	o.Set("EndpointConfig", settings)
	c.Out.Name, c.Out.Body = network.ID, o.Marshal()
	return nil
}

// Disconnect decides POST /networks/{name}/disconnect, like [Connect]. Of the
// engine's own networks bridge and none can be left.
func Disconnect(c *verdict.Case) error {
	network, err := c.Use(verdict.Network, c.Request.Name)
	if err != nil {
		return err
	}
	if err := mayChange(network, "bridge", "none"); err != nil {
		return err
	}
	o, err := parseConnect(c)
	if err != nil {
		return err
	}
	o.Delete("EndpointConfig") // no engine reads it here
	c.Out.Name, c.Out.Body = network.ID, o.Marshal()
	return nil
}

// mayChange refuses the engine's own networks, but for those named.
func mayChange(network verdict.Object, builtin ...string) error {
	if !verdict.BuiltinNetwork(network.Name) || slices.Contains(builtin, network.Name) {
		return nil
	}
	return verdict.Deny("network", "network %s: containers are put into it when they are created; set it as their network mode", network.Name)
}

// parseConnect reads the body of both routes, which must name a container.
func parseConnect(c *verdict.Case) (rawjson.Object, error) {
	o, err := c.ParseBody()
	if err != nil {
		return o, err
	}
	if err := connectTable.Walk(c, "", &o); err != nil {
		return o, err
	}
	if ref, ok := o.Get("Container"); !ok || rawjson.Empty(ref) {
		return o, verdict.NoName(verdict.Container)
	}
	return o, nil
}

func checkContainer(c *verdict.Case, path string, v jsontext.Value) (jsontext.Value, error) {
	ref, err := verdict.Decode[string](path, v)
	if err != nil {
		return nil, err
	}
	o, err := c.Own(verdict.Container, ref)
	return rawjson.Encode(o.ID), err
}
