// Package swarm decides on the swarm API where the operator opens it: services,
// tasks, secrets and configs of one owner, and the nodes to read. The swarm
// itself (init, join, leave, tokens, keys, nodes) stays the operator's.
package swarm

import (
	"encoding/json"
	"slices"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// List narrows a list to the owner's objects. Swarm keeps label filters in a map:
// of two values of one key either may win, and a key without a value means any.
// So the client's own filters by the owner's key are removed, and the answer is
// filtered.
func List(c *verdict.Case) error {
	others := false // the client asks for another owner's
	err := c.EditFilters(func(f rawjson.Filters) error {
		f["label"] = slices.DeleteFunc(f["label"], func(label string) bool {
			key, value, found := strings.Cut(label, "=")
			others = others || key == c.LabelKey && found && value != "" && value != c.Owner
			return key == c.LabelKey
		})
		return nil
	})
	if err != nil {
		return err
	}
	c.Keep(func(item []byte) (bool, error) {
		var o struct {
			Spec struct{ Labels map[string]string }
		}
		err := json.Unmarshal(item, &o)
		return !others && c.Owns(o.Spec.Labels), err
	})
	return c.FilterByOwner()
}

// ListTasks narrows a list to the tasks of the owner's services.
func ListTasks(c *verdict.Case) error {
	if err := c.PinFilters(c.Own, verdict.Service, "service"); err != nil {
		return err
	}
	own := map[string]bool{}
	c.Keep(func(item []byte) (bool, error) {
		var task struct{ ServiceID string }
		err := json.Unmarshal(item, &task)
		return own[task.ServiceID], err
	})
	return c.EachOwn(verdict.Service, func(item []byte) error {
		var o struct{ ID string }
		err := json.Unmarshal(item, &o)
		own[o.ID] = true
		return err
	})
}

var secretTable = field.Table[*verdict.Case]{
	{Name: "Name", Verdict: field.Allowed},
	{Name: "Labels", Verdict: field.Checked, Why: "the owner label is set", By: "ForceLabels"},
	{Name: "Data", Verdict: field.Allowed},
	{Name: "Driver", Verdict: field.Refused, Why: "a driver is a plugin on the manager"},
	{Name: "Templating", Since: "1.37", Verdict: field.Checked, Check: field.Read(checkTemplating)},
}

// CreateSecret decides the create of a secret or a config.
func CreateSecret(c *verdict.Case) error {
	o, err := secretTable.Body(c)
	if err != nil {
		return err
	}
	return c.SendLabelled(&o)
}

// UpdateSecret decides the update of a secret or a config, which can change its
// labels only.
func UpdateSecret(kind verdict.Kind) func(*verdict.Case) error {
	return func(c *verdict.Case) error {
		if _, err := c.OwnNamed(kind); err != nil {
			return err
		}
		return CreateSecret(c)
	}
}

type templating struct {
	Name    string
	Options map[string]string
}

func checkTemplating(_ *verdict.Case, path string, t templating) error {
	if t.Name == "golang" {
		return nil
	}
	return field.Deny(path, verdict.Quoted(t.Name), "a driver is a plugin on the manager; use golang", "")
}
