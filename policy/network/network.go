// Package network decides on networks: their creation, the containers that join
// them, and what clients see of them.
package network

import (
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// A draft is the body of a new network that is being checked.
type draft struct {
	*verdict.Case
	overlay bool // the network is one of the swarm's
}

var createTable = field.Table[*draft]{
	{Name: "Name", Verdict: field.Checked, Check: field.Read(checkName), Zero: true},
	{Name: "Driver", Verdict: field.Checked, Why: "other drivers reach the host's network or other hosts", Check: field.Read(checkDriver)},
	{Name: "Options", Verdict: field.Checked, Why: "they set up the host's network", Check: field.Read(checkOptions)},
	{Name: "IPAM", Verdict: field.Checked, Why: "a subnet takes its traffic away from the host", Grant: "--allow-subnet", By: "checkIPAM"},
	{Name: "Labels", Verdict: field.Checked, Why: "the owner label is set", By: "ForceLabels"},
	{Name: "Internal", Verdict: field.Allowed},
	{Name: "EnableIPv4", Since: "1.48", Verdict: field.Allowed},
	{Name: "EnableIPv6", Verdict: field.Allowed},
	{Name: "Attachable", Verdict: field.Allowed}, // of overlay networks; Compose sends true
	{Name: "CheckDuplicate", Until: "1.43", Verdict: field.Dropped, Why: "sockguard sets it"},
	{Name: "Scope", Verdict: field.Checked, Why: "it makes a network of the swarm's", Check: field.Read(checkScope)},
	{Name: "Ingress", Verdict: field.Refused, Why: "it makes a network of the swarm's"},
	{Name: "ConfigOnly", Verdict: field.Refused, Why: "it is a set of options for other networks"},
	{Name: "ConfigFrom", Verdict: field.Checked, Why: "it takes options over from another network", Check: field.Read(checkConfigFrom)},
}

// Create decides POST /networks/create. It sets CheckDuplicate: without it, older
// engines make a second network of the same name.
func Create(c *verdict.Case) error {
	d := &draft{Case: c}
	o, err := createTable.Body(d)
	if err != nil {
		return err
	}
	name, err := verdict.Decode[string]("Name", o.Value("Name"))
	if err == nil && name == "" {
		err = verdict.Bad("name", "empty network name: nothing is named; give a name")
	}
	if err != nil {
		return err
	}
	if err := d.checkIPAM(&o); err != nil {
		return err
	}
	o.Set("CheckDuplicate", jsontext.Value("true"))
	if joining(c) != "" && !d.overlay { // most overlay networks take services only
		body, err := joinBody(c)
		if err != nil {
			return err
		}
		c.Out.After = append(c.Out.After, verdict.EngineCall{Method: "POST", Path: "/networks/" + verdict.MadeID + "/connect", Body: body})
	}
	return c.SendLabelled(&o)
}

// Inspect decides GET /networks/{name}.
func Inspect(c *verdict.Case) error {
	o, err := c.Use(verdict.Network, c.Request.Name)
	c.Out.Name = o.ID
	c.EditObject("network inspect", func(network *rawjson.Object) error { return show(c, network) })
	return err
}

// Remove decides DELETE /networks/{name}. The operator's container leaves it
// first.
func Remove(c *verdict.Case) error {
	o, err := c.OwnNamed(verdict.Network)
	if err != nil {
		return err
	}
	if name := joining(c); name != "" {
		container, err := c.Operator(name)
		if verdict.IsForbidden(err) {
			return nil // it is gone, and so has left
		}
		if err != nil {
			return err
		}
		body := rawjson.Encode(struct {
			Container string
			Force     bool
		}{container.ID, true})
		c.Out.Before = append(c.Out.Before, verdict.EngineCall{Method: "POST", Path: "/networks/" + o.ID + "/disconnect", Body: body, Optional: true})
	}
	return nil
}

// joining returns the operator's container that joins every network of the owner's,
// "" if there is none.
func joining(c *verdict.Case) string {
	container, _, _ := strings.Cut(c.Link, ":")
	if container == "" {
		container = c.JoinNetwork
	}
	return container
}

// joinBody returns the body that connects the operator's container.
func joinBody(c *verdict.Case) ([]byte, error) {
	container, err := c.Operator(joining(c))
	if err != nil {
		return nil, err
	}
	type endpoint struct{ Aliases []string }
	body := struct {
		Container      string
		EndpointConfig *endpoint `json:",omitzero"`
	}{Container: container.ID}
	if c.JoinAlias != "" {
		body.EndpointConfig = &endpoint{[]string{c.JoinAlias}}
	}
	return rawjson.Encode(body), nil
}
