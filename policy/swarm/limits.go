package swarm

import (
	"encoding/json"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// A serviceMode is how many tasks a service runs.
type serviceMode struct {
	Replicated    *struct{ Replicas *int }
	ReplicatedJob *struct{ MaxConcurrent, TotalCompletions *int }
	Global        *struct{}
	GlobalJob     *struct{}
}

// tasks is the number of containers at a time, -1 for one on every node.
func (m serviceMode) tasks() int {
	var n *int
	switch {
	case m.Global != nil || m.GlobalJob != nil:
		return -1
	case m.Replicated != nil:
		n = m.Replicated.Replicas
	case m.ReplicatedJob != nil:
		if n = m.ReplicatedJob.MaxConcurrent; n == nil {
			n = m.ReplicatedJob.TotalCompletions
		}
	}
	if n == nil {
		return 1
	}
	return *n
}

// reserveRoom holds the replicas of all the owner's services to the ceiling on
// containers. The service with the ID counts with its new mode.
func reserveRoom(c *verdict.Case, id string, value jsontext.Value) error {
	if c.MaxContainers == 0 {
		return nil
	}
	mode, err := verdict.Decode[serviceMode]("Mode", value)
	if err != nil {
		return err
	}
	want, n := mode.tasks(), 0
	if want < 0 {
		return verdict.Deny("limit", "Mode: a task on every node has no number to hold to the ceiling of %d containers; use replicas", c.MaxContainers)
	}
	free, err := c.Reserve(verdict.Service, want, c.MaxContainers, func() (int, error) {
		n = 0
		err := c.EachOwn(verdict.Service, func(item []byte) error {
			var s struct {
				ID   string
				Spec struct{ Mode serviceMode }
			}
			err := json.Unmarshal(item, &s)
			if s.ID != id {
				n += min(max(s.Spec.Mode.tasks(), 0), c.MaxContainers+1) // a sum that cannot overflow
			}
			return err
		})
		return n, err
	})
	if err == nil && !free {
		err = verdict.TooMuch("Mode: the replicas of all your services,", int64(n+want), int64(c.MaxContainers), "--max-containers")
	}
	return err
}

// limit holds a task to the operator's ceilings. Where it asks for no limit it gets
// the ceiling.
func limit(c *verdict.Case, task *rawjson.Object) error {
	if c.MaxMemory == 0 && c.MaxNanoCPUs == 0 && c.MaxPids == 0 {
		return nil
	}
	const path = "TaskTemplate.Resources"
	resources, err := verdict.DecodeObject(path, task.Value("Resources"))
	if err != nil {
		return err
	}
	for _, part := range []string{"Limits", "Reservations"} {
		o, err := verdict.DecodeObject(path+"."+part, resources.Value(part))
		if err != nil {
			return err
		}
		if err := limitPart(c, path+"."+part, &o, part == "Limits"); err != nil {
			return err
		}
		resources.Set(part, o.Marshal())
	}
	task.Set("Resources", resources.Marshal())
	return c.MemoryLimit(path+".SwapBytes", field.Int(&resources, "SwapBytes")).Check()
}

// limitPart holds the Limits or the Reservations of a task to the ceilings.
func limitPart(c *verdict.Case, path string, o *rawjson.Object, fill bool) error {
	for _, r := range []struct {
		name  string
		limit func(path string, value int64) verdict.Limit
	}{
		{"MemoryBytes", c.MemoryLimit}, {"NanoCPUs", c.CPULimit}, {"Pids", c.PidsLimit},
	} {
		l := r.limit(path+"."+r.name, field.Int(o, r.name))
		if err := l.Check(); err != nil {
			return err
		}
		if n := l.Default(); fill && n != 0 {
			o.Set(r.name, rawjson.Encode(n))
		}
	}
	return nil
}
