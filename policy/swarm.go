package policy

import (
	"encoding/json"
	"io"
	"slices"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// The swarm API, where the operator grants it: services, tasks, secrets and
// configs of one owner, and the nodes to read. The swarm itself (init, join,
// leave, tokens, keys, nodes) stays the operator's.

// swarmed opens a route where swarm is granted.
func swarmed(decide func(*call) error) func(*call) error {
	return func(c *call) error {
		if !c.Swarm {
			return deny("swarm", "%s %s: swarm is not open through this socket; use plain containers, or ask the operator for --allow-swarm", c.Method, c.Route.Pattern)
		}
		return decide(c)
	}
}

// ownSwarm decides routes on one object of the swarm's, which goes upstream by
// ID.
func ownSwarm(kind Kind) func(*call) error {
	return swarmed(func(c *call) error {
		o, err := c.own(kind, c.Request.Name)
		c.out.Name = o.ID
		return err
	})
}

// listSwarm narrows a list to the owner's objects. Swarm keeps label filters in
// a map: of two values of one key any may win, and a key without a value means
// any. So what the client says of the owner's key is left out, and the answer is
// checked.
func listSwarm(c *call) error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	others := false
	f["label"] = slices.DeleteFunc(f["label"], func(label string) bool {
		key, value, found := strings.Cut(label, "=")
		others = others || key == c.LabelKey && found && value != "" && value != c.Owner
		return key == c.LabelKey
	})
	c.keep(func(item []byte) (bool, error) {
		var o struct {
			Spec struct{ Labels map[string]string }
		}
		err := json.Unmarshal(item, &o)
		return !others && c.owns(o.Spec.Labels), err
	})
	return c.addOwner(f)
}

// listTasks narrows a list to the tasks of the owner's services.
func listTasks(c *call) error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	for i, ref := range f["service"] {
		o, err := c.own(Service, ref)
		if err != nil {
			return err
		}
		f["service"][i] = o.ID
	}
	own := map[string]bool{}
	err = c.eachOwn(Service, func(item []byte) error {
		var o struct{ ID string }
		err := json.Unmarshal(item, &o)
		own[o.ID] = true
		return err
	})
	if err != nil {
		return err
	}
	c.keep(func(item []byte) (bool, error) {
		var task struct{ ServiceID string }
		err := json.Unmarshal(item, &task)
		return own[task.ServiceID], err
	})
	return c.setFilters(f)
}

// listNodes shows the nodes, which placement constraints name.
func listNodes(c *call) error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	c.out.Response = func(dst io.Writer, src io.Reader) error {
		return rawjson.FilterArray(dst, src, showNode)
	}
	return c.setFilters(f)
}

func inspectNode(c *call) error {
	o, err := c.find(Node, c.Request.Name)
	c.out.Name = o.ID
	c.out.Response = func(dst io.Writer, src io.Reader) error {
		node, err := readObject("node inspect", src)
		if err != nil {
			return err
		}
		value, err := showNode(node.Marshal())
		if err == nil {
			_, err = dst.Write(value)
		}
		return err
	}
	return err
}

// showNode leaves of a node what placement and docker service ps read: no
// addresses, no certificates, no plugins.
func showNode(item jsontext.Value) (jsontext.Value, error) {
	var node struct {
		ID                   string
		Version              json.RawMessage
		CreatedAt, UpdatedAt string
		Spec                 struct {
			Name, Role, Availability string
			Labels                   map[string]string
		}
		Description struct {
			Hostname  string
			Platform  struct{ Architecture, OS string }
			Resources struct{ NanoCPUs, MemoryBytes int64 }
			Engine    struct{ EngineVersion string }
		}
		Status        struct{ State string }
		ManagerStatus *struct {
			Leader       bool
			Reachability string
		} `json:",omitempty"`
	}
	if err := json.Unmarshal(item, &node); err != nil {
		return nil, err
	}
	return json.Marshal(node)
}

var secretTable = []Field{
	{Name: "Name", Verdict: Allowed},
	{Name: "Labels", Verdict: Allowed}, // makeSecret sets them
	{Name: "Data", Verdict: Allowed},
	{Name: "Driver", Verdict: Refused, Why: "a driver is a plugin on the manager"},
	{Name: "Templating", Since: "1.37", Verdict: Checked, check: checkTemplating},
}

// makeSecret decides the create of a secret or a config.
func makeSecret(c *call) error {
	o, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	if err := d.walk("", secretTable, &o); err != nil {
		return err
	}
	if err := c.checkLabels(&o); err != nil {
		return err
	}
	c.out.Body = o.Marshal()
	return nil
}

// updateSecret decides the update of a secret or a config, of which only the
// labels can change.
func updateSecret(kind Kind) func(*call) error {
	return swarmed(func(c *call) error {
		o, err := c.own(kind, c.Request.Name)
		if err != nil {
			return err
		}
		c.out.Name = o.ID
		return makeSecret(c)
	})
}

func checkTemplating(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	t, err := decode[struct {
		Name    string
		Options map[string]string
	}](path, v)
	if err == nil && t.Name != "golang" {
		err = denyField(path, quoted(t.Name), "a driver is a plugin on the manager; use golang", "")
	}
	return v, err
}
