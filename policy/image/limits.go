package image

import (
	"strconv"

	"sockguard/policy/container"
	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// limitParams are the limits of a build by their name in HostConfig.
var limitParams = map[string]string{
	"memory": "Memory", "memswap": "MemorySwap", "cpuperiod": "CpuPeriod", "cpuquota": "CpuQuota",
}

// limit holds the containers of a build to the ceilings of containers. A text
// that an engine would take for 0 is refused.
func limit(c *verdict.Case) error {
	var host rawjson.Object
	for param, name := range limitParams {
		text := c.Query.Get(param)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return verdict.Bad("limit", "parameter %s=%s: it is no number; leave it out or write one", param, text)
		}
		host.Set(name, rawjson.Encode(n))
	}
	if err := container.Limit(c, "build ", &host); err != nil {
		return err
	}
	if nano := field.Int(&host, "NanoCpus"); nano > 0 { // builds know quotas only
		host.Set("CpuPeriod", rawjson.Encode(int64(verdict.DefaultPeriod)))
		host.Set("CpuQuota", rawjson.Encode(nano/1000*verdict.DefaultPeriod/1_000_000))
	}
	for param, name := range limitParams {
		c.Out.Query.Del(param)
		if n := field.Int(&host, name); n != 0 {
			c.Out.Query.Set(param, strconv.FormatInt(n, 10))
		}
	}
	return nil
}
