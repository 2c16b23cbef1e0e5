package container

import (
	"cmp"
	"errors"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// OomScoreAdj refuses a number below which the host's own processes are killed
// first.
func OomScoreAdj(_ *Draft, path string, adj int64) error {
	if adj >= 0 {
		return nil
	}
	return field.Deny(path, "below 0", "the host's own processes would die first", "")
}

// Limit holds a new container to the operator's ceilings. Where it asks for no
// limit it gets the ceiling. Path is the prefix of field names in a refusal.
func Limit(c *verdict.Case, path string, host *rawjson.Object) error {
	pids := field.Int(host, "PidsLimit")
	if pids == -1 { // no limit, as 0
		pids = 0
	}
	asked := limitsOf(c, path, host, pids)
	if err := asked.check(); err != nil {
		return err
	}
	if n := asked.memory.Default(); n != 0 {
		host.Set("Memory", rawjson.Encode(n))
	}
	if n := asked.cpus.Default(); n != 0 && asked.quota.Value == 0 {
		host.Delete("CpuPeriod") // engines refuse it beside NanoCpus
		host.Set("NanoCpus", rawjson.Encode(n))
	}
	if n := asked.pids.Default(); n != 0 {
		host.Set("PidsLimit", rawjson.Encode(n))
	}
	return nil
}

// limits are the limits that a body of HostConfig's shape asks for.
type limits struct{ memory, swap, cpus, quota, pids verdict.Limit }

func limitsOf(c *verdict.Case, path string, host *rawjson.Object, pids int64) limits {
	return limits{
		memory: c.MemoryLimit(path+"Memory", field.Int(host, "Memory")),
		swap:   c.MemorySwapLimit(path+"MemorySwap", field.Int(host, "MemorySwap")),
		cpus:   c.CPULimit(path+"NanoCpus", field.Int(host, "NanoCpus")),
		quota:  c.CPULimit(path+"CpuQuota in CpuPeriod, as NanoCpus,", verdict.NanoCPUs(field.Int(host, "CpuQuota"), field.Int(host, "CpuPeriod"))),
		pids:   c.PidsLimit(path+"PidsLimit", pids),
	}
}

func (l limits) check() error {
	return cmp.Or(l.memory.Check(), l.swap.Check(), l.cpus.Check(), l.quota.Check(), l.pids.Check())
}

// errEnough ends a list of containers.
var errEnough = errors.New("enough")

// reserveRoom refuses a container above the operator's ceiling, and counts it until it
// is made: many may be asked for at once.
func reserveRoom(c *verdict.Case) error {
	if c.MaxContainers == 0 {
		return nil
	}
	free, err := c.Reserve(verdict.Container, 1, c.MaxContainers, func() (n int, err error) {
		err = c.EachOwn(verdict.Container, func([]byte) error {
			if n++; n >= c.MaxContainers {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			err = nil
		}
		return n, err
	})
	if err == nil && !free {
		err = verdict.Deny("limit", "one container more: the ceiling of this socket is %d containers, stopped ones too; remove some, or ask the operator for a higher --max-containers", c.MaxContainers)
	}
	return err
}
