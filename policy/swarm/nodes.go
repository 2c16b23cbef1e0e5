package swarm

import (
	"encoding/json"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// ListNodes shows the nodes, which placement constraints name.
func ListNodes(c *verdict.Case) error {
	c.EditList(showNode)
	return c.CheckFilters()
}

// InspectNode shows one node.
func InspectNode(c *verdict.Case) error {
	o, err := c.Find(verdict.Node, c.Request.Name)
	c.Out.Name = o.ID
	c.EditObject("node inspect", func(node *rawjson.Object) error {
		shown, err := showNode(node.Marshal())
		if err == nil {
			*node, err = rawjson.ParseObject(shown)
		}
		return err
	})
	return err
}

// showNode reduces a node to what placement and docker service ps read: no
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
