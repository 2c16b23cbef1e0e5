package policy

import (
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// defaultPeriod is the CFS period, in microseconds, of a container that sets
// none.
const defaultPeriod = 100_000

func checkNumber(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := decode[int64](path, v)
	return v, err
}

func checkOomScoreAdj(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	adj, err := decode[int64](path, v)
	if err == nil && adj < 0 {
		err = denyField(path, "below 0", "the host's own processes would die first", "")
	}
	return v, err
}

// limit applies the operator's ceilings. A new container that asks for no limit
// gets the ceiling; in an update none means unchanged.
func (d *draft) limit(path string, host *rawjson.Object) error {
	for _, apply := range []func(string, *rawjson.Object) error{d.limitMemory, d.limitCPUs, d.limitPids} {
		if err := apply(path, host); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) limitMemory(path string, host *rawjson.Object) error {
	if d.MaxMemory == 0 {
		return nil
	}
	memory, swap := number(host, "Memory"), number(host, "MemorySwap")
	switch {
	case memory < 0 || memory > d.MaxMemory:
		return tooMuch(path+"Memory", memory, d.MaxMemory, "--max-memory")
	case swap < 0 || swap > 2*d.MaxMemory: // twice the memory is the engine's own default
		return tooMuch(path+"MemorySwap", swap, 2*d.MaxMemory, "--max-memory")
	case memory == 0 && !d.update:
		host.Set("Memory", rawjson.Encode(d.MaxMemory))
	}
	return nil
}

// limitCPUs bounds NanoCpus, and the quota in its period. An update must name
// both, for the other one is not known here.
func (d *draft) limitCPUs(path string, host *rawjson.Object) error {
	if d.MaxNanoCPUs == 0 {
		return nil
	}
	nano, quota, period := number(host, "NanoCpus"), number(host, "CpuQuota"), number(host, "CpuPeriod")
	if d.update && (quota != 0) != (period != 0) {
		return bad("limit", "%sCpuQuota and %sCpuPeriod: one without the other changes the share of CPUs; set both", path, path)
	}
	if period == 0 {
		period = defaultPeriod
	}
	switch {
	case nano < 0 || nano > d.MaxNanoCPUs:
		return tooMuch(path+"NanoCpus", nano, d.MaxNanoCPUs, "--max-cpus")
	case quota < 0 || period < 0 || float64(quota)/float64(period)*1e9 > float64(d.MaxNanoCPUs):
		return tooMuch(path+"CpuQuota", quota, d.MaxNanoCPUs/1000*period/1_000_000, "--max-cpus")
	case nano == 0 && quota == 0 && !d.update:
		host.Delete("CpuPeriod") // engines refuse it beside NanoCpus
		host.Set("NanoCpus", rawjson.Encode(d.MaxNanoCPUs))
	}
	return nil
}

func (d *draft) limitPids(path string, host *rawjson.Object) error {
	value, set := host.Get("PidsLimit")
	pids := number(host, "PidsLimit")
	switch unlimited := pids <= 0; {
	case d.MaxPids == 0:
	case pids > d.MaxPids, unlimited && d.update && set && value.Kind() != 'n', pids < -1:
		return tooMuch(path+"PidsLimit", pids, d.MaxPids, "--max-pids")
	case unlimited && !d.update:
		host.Set("PidsLimit", rawjson.Encode(d.MaxPids))
	}
	return nil
}

// number is the value of a member that checkNumber has seen; 0 when absent.
func number(o *rawjson.Object, name string) int64 {
	value, ok := o.Get(name)
	if !ok {
		return 0
	}
	n, _ := rawjson.Decode[int64](name, value)
	return n
}

func tooMuch(path string, got, ceiling int64, flag string) error {
	return deny("limit", "%s %d: the ceiling of this socket is %d; ask for less, or ask the operator for a higher %s", path, got, ceiling, flag)
}
