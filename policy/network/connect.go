package network

import (
	"slices"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

var connectTable = field.Table[*verdict.Case]{
	{Name: "Container", Verdict: field.Checked, Check: field.Edit(checkContainer)},
	{Name: "EndpointConfig", Verdict: field.Checked, By: "Connect"},
	{Name: "Force", Verdict: field.Allowed},
}

// Connect decides POST /networks/{name}/connect. The container must be the owner's,
// and the network too, or be bridge.
func Connect(c *verdict.Case) error {
	network, o, err := parseConnect(c, "bridge")
	if err != nil {
		return err
	}
	settings, err := Endpoint(c, "EndpointConfig", o.Value("EndpointConfig"), network)
	o.Set("EndpointConfig", settings)
	c.Out.Body = o.Marshal()
	return err
}

// Disconnect decides POST /networks/{name}/disconnect. The container must be the
// owner's, and the network too, or be bridge or none.
func Disconnect(c *verdict.Case) error {
	_, o, err := parseConnect(c, "bridge", "none")
	o.Delete("EndpointConfig") // no engine reads it here
	c.Out.Body = o.Marshal()
	return err
}

// parseConnect finds the network of both routes, the owner's or one of those
// listed, and checks the body, which must name a container.
func parseConnect(c *verdict.Case, builtin ...string) (network verdict.Object, o rawjson.Object, err error) {
	network, err = c.Use(verdict.Network, c.Request.Name)
	if err != nil {
		return network, o, err
	}
	if verdict.BuiltinNetwork(network.Name) && !slices.Contains(builtin, network.Name) {
		return network, o, verdict.Deny("network", "network %s: containers are put into it when they are created; set it as their network mode", network.Name)
	}
	c.Out.Name = network.ID
	o, err = connectTable.Body(c)
	if err == nil && rawjson.Empty(o.Value("Container")) {
		err = verdict.NoName(verdict.Container)
	}
	return network, o, err
}

func checkContainer(c *verdict.Case, _, ref string) (string, error) {
	o, err := c.Own(verdict.Container, ref)
	return o.ID, err
}
