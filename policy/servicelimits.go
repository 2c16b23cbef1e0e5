package policy

import (
	"encoding/json"
	"slices"

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
	n := (*int)(nil)
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

// roomForTasks holds the replicas of all the owner's services, of the one with
// the ID as it will be, to the ceiling on containers.
func (c *call) roomForTasks(id string, value jsontext.Value) error {
	if c.MaxContainers == 0 {
		return nil
	}
	var mode serviceMode
	if value != nil {
		var err error
		if mode, err = decode[serviceMode]("Mode", value); err != nil {
			return err
		}
	}
	sum := mode.tasks()
	if sum < 0 {
		return deny("limit", "Mode: a task on every node has no number to hold to the ceiling of %d containers; use replicas", c.MaxContainers)
	}
	err := c.eachOwn(Service, func(item []byte) error {
		var s struct {
			ID   string
			Spec struct{ Mode serviceMode }
		}
		err := json.Unmarshal(item, &s)
		if s.ID != id {
			sum += s.Spec.Mode.tasks()
		}
		return err
	})
	if err == nil && sum > c.MaxContainers {
		err = tooMuch("Mode: the replicas of all your services,", int64(sum), int64(c.MaxContainers), "--max-containers")
	}
	return err
}

// A serviceLimit is a limit of a task, its ceiling and the flag for it.
type serviceLimit struct {
	name    string
	ceiling int64
	flag    string
}

// taskLimits applies the operator's ceilings to the Resources of a task.
func (d *draft) taskLimits(value jsontext.Value) (jsontext.Value, error) {
	ceilings := []serviceLimit{{"MemoryBytes", d.MaxMemory, "--max-memory"}, {"NanoCPUs", d.MaxNanoCPUs, "--max-cpus"}, {"Pids", d.MaxPids, "--max-pids"}}
	ceilings = slices.DeleteFunc(ceilings, func(l serviceLimit) bool { return l.ceiling == 0 })
	if len(ceilings) == 0 {
		return value, nil
	}
	resources, err := decodeObject("TaskTemplate.Resources", value)
	if err != nil {
		return nil, err
	}
	for _, part := range []string{"Limits", "Reservations"} {
		path := "TaskTemplate.Resources." + part
		value, _ := resources.Get(part)
		o, err := decodeObject(path, value)
		if err != nil {
			return nil, err
		}
		for _, l := range ceilings {
			switch n := number(&o, l.name); {
			case n < 0 || n > l.ceiling:
				return nil, tooMuch(path+"."+l.name, n, l.ceiling, l.flag)
			case n == 0 && part == "Limits":
				o.Set(l.name, rawjson.Encode(l.ceiling))
			}
		}
		resources.Set(part, o.Marshal())
	}
	if n := number(&resources, "SwapBytes"); d.MaxMemory != 0 && (n < 0 || n > d.MaxMemory) {
		return nil, tooMuch("TaskTemplate.Resources.SwapBytes", n, d.MaxMemory, "--max-memory")
	}
	return resources.Marshal(), nil
}
