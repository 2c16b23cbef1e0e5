// Package volume decides on volumes: their creation, their names and drivers.
package volume

import (
	"encoding/json"
	"fmt"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

// A Body is the body of POST /volumes/create.
type Body struct {
	Name       string            `json:",omitzero"`
	Driver     string            `json:",omitzero"`
	DriverOpts map[string]string `json:",omitzero"`
	Labels     map[string]string `json:",omitzero"`
}

var createTable = field.Table[*verdict.Case]{
	{Name: "Name", Verdict: field.Checked, By: "Create"},
	{Name: "Driver", Verdict: field.Checked, Why: "a volume plugin runs as root on the host", By: "Create"},
	{Name: "DriverOpts", Verdict: field.Checked, Why: "the engine would mount them as root", By: "Create"},
	{Name: "Labels", Verdict: field.Checked, Why: "the owner label is set", By: "ForceLabels"},
	{Name: "ClusterVolumeSpec", Since: "1.42", Verdict: field.Refused, Why: "cluster volumes are the swarm's"},
}

// Create decides POST /volumes/create. For a name that exists the engine answers
// with the volume as it is, whoever owns it, so the name must be free or the
// owner's.
func Create(c *verdict.Case) error {
	o, err := createTable.Body(c)
	if err != nil {
		return err
	}
	v, err := verdict.Decode[Body]("", o.Marshal())
	if err != nil {
		return err
	}
	if err := CheckDriver("Driver", v.Driver, v.DriverOpts); err != nil {
		return err
	}
	if v.Name != "" {
		if err := MayName(c, "Name", v.Name); err != nil {
			return err
		}
	}
	c.Out.Verify = verifyOwn(c)
	return c.SendLabelled(&o)
}

// verifyOwn refuses a volume of another client's, made after sockguard looked the
// name up.
func verifyOwn(c *verdict.Case) func(answer []byte) error {
	return func(answer []byte) error {
		var v struct {
			Name   string
			Labels map[string]string
		}
		if err := json.Unmarshal(answer, &v); err != nil {
			return fmt.Errorf("read the engine's answer: %w", err)
		}
		if c.Owns(v.Labels) {
			return nil
		}
		return verdict.Deny("volume", "volume name %s is taken: names are the whole engine's; choose another", v.Name)
	}
}

// MayName refuses the name of another owner's volume. Path names the member of the
// body, for the refusal.
func MayName(c *verdict.Case, path, name string) error {
	if err := verdict.CheckName(verdict.Volume, path, name); err != nil {
		return err
	}
	o, found, err := c.Lookup(verdict.Volume, name)
	if err != nil || !found || c.Owns(o.Labels) {
		return err
	}
	return &verdict.Denied{
		Status: verdict.StatusForbidden, Rule: "volume", Truth: c.Foreign(verdict.Volume, name, o),
		Message: path + ": volume name " + name + " is taken: names are the whole engine's; choose another",
	}
}

// CheckDriver permits volumes that are directories of the engine's own, with or
// without a quota, and tmpfs. Any other option of the local driver is a mount(2)
// of the client's choice, by root.
func CheckDriver(path, driver string, opts map[string]string) error {
	if driver != "" && driver != "local" {
		return field.Deny(path, verdict.Quoted(driver), "a volume plugin runs as root on the host; use local", "")
	}
	tmpfs := opts["type"] == "tmpfs" && opts["device"] == "tmpfs"
	for key, value := range opts {
		switch {
		case value == "", key == "size":
		case tmpfs && (key == "type" || key == "device"):
		case tmpfs && key == "o" && TmpfsOptions(value):
		default:
			return field.Deny(path, "option "+verdict.Quoted(key+"="+value), "the engine would mount it as root; use none, or type=tmpfs with device=tmpfs", "")
		}
	}
	return nil
}
