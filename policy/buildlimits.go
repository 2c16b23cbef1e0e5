package policy

import (
	"strconv"

	"sockguard/rewrite/rawjson"
)

// buildLimitParams are the limits of a build by their name in HostConfig.
var buildLimitParams = map[string]string{
	"memory": "Memory", "memswap": "MemorySwap", "cpuperiod": "CpuPeriod", "cpuquota": "CpuQuota",
}

// buildLimits holds the containers of a build to the ceilings of containers. A
// number that an engine would take for 0 is refused.
func (c *call) buildLimits() error {
	var host rawjson.Object
	for param, field := range buildLimitParams {
		text := c.Query.Get(param)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return bad("limit", "parameter %s=%s: it is no number; leave it out or write one", param, text)
		}
		host.Set(field, rawjson.Encode(n))
	}
	d := &draft{call: c}
	for _, apply := range []func(string, *rawjson.Object) error{d.limitMemory, d.limitCPUs} {
		if err := apply("build ", &host); err != nil {
			return err
		}
	}
	if nano := number(&host, "NanoCpus"); nano > 0 { // builds know quotas only
		host.Set("CpuPeriod", rawjson.Encode(int64(defaultPeriod)))
		host.Set("CpuQuota", rawjson.Encode(nano/1000*defaultPeriod/1_000_000))
	}
	for param, field := range buildLimitParams {
		c.out.Query.Del(param)
		if n := number(&host, field); n != 0 {
			c.out.Query.Set(param, strconv.FormatInt(n, 10))
		}
	}
	return nil
}
