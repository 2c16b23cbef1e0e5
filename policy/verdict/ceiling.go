package verdict

import (
	"errors"
	"math"
)

// A Limit is one number of a request that an operator's ceiling bounds.
type Limit struct {
	Path    string // where the number stands, for the refusal
	Value   int64  // what is asked for: 0 is the default, a negative number no limit
	ceiling int64  // 0 is no ceiling
	flag    string // the operator's flag that sets the ceiling
}

// MemoryLimit bounds memory, in bytes.
func (g *Grants) MemoryLimit(path string, value int64) Limit {
	return Limit{path, value, g.MaxMemory, "--max-memory"}
}

// MemorySwapLimit bounds memory and swap together. The ceiling is twice that of
// memory, which is the engine's own default.
func (g *Grants) MemorySwapLimit(path string, value int64) Limit {
	return Limit{path, value, 2 * g.MaxMemory, "--max-memory"}
}

// CPULimit bounds CPUs, in billionths of one.
func (g *Grants) CPULimit(path string, value int64) Limit {
	return Limit{path, value, g.MaxNanoCPUs, "--max-cpus"}
}

// PidsLimit bounds processes.
func (g *Grants) PidsLimit(path string, value int64) Limit {
	return Limit{path, value, g.MaxPids, "--max-pids"}
}

// DefaultPeriod is the CFS period, in microseconds, of a container that sets
// none.
const DefaultPeriod = 100_000

// NanoCPUs converts a CFS quota in a period to billionths of a CPU, rounded up. A
// period of 0 is the default one; a negative number is no limit.
func NanoCPUs(quota, period int64) int64 {
	if quota < 0 || period < 0 {
		return -1
	}
	if period == 0 {
		period = DefaultPeriod
	}
	return int64(min(math.Ceil(float64(quota)/float64(period)*1e9), math.MaxInt64/2))
}

// Check refuses a value above the ceiling, and a negative one if there is a
// ceiling.
func (l Limit) Check() error {
	if l.ceiling == 0 || 0 <= l.Value && l.Value <= l.ceiling {
		return nil
	}
	return TooMuch(l.Path, l.Value, l.ceiling, l.flag)
}

// Default returns the ceiling if the request asks for nothing, else 0.
func (l Limit) Default() int64 {
	if l.Value == 0 {
		return l.ceiling
	}
	return 0
}

// Reserve keeps room under a ceiling for want more objects of a kind, of which count
// returns the number, until the request has been answered. It reports whether there is
// room.
func (c *Case) Reserve(kind Kind, want, ceiling int, count func() (int, error)) (bool, error) {
	release, err := c.Inspector.Reserve(c.Ctx, kind, want, ceiling, count)
	if errors.Is(err, ErrNoRoom) {
		return false, nil
	}
	c.Out.Release = release
	return err == nil, err
}

// TooMuch refuses what is above a ceiling.
func TooMuch(path string, got, ceiling int64, flag string) error {
	return Deny("limit", "%s %d: the ceiling of this socket is %d; ask for less, or ask the operator for a higher %s", path, got, ceiling, flag)
}
