package image

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"sockguard/policy/container"
	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// checkLabels adds the owner label to labels=, the labels of the final image.
func checkLabels(c *verdict.Case) error {
	labels, err := takeParam[map[string]string](c, "labels")
	if err != nil {
		return err
	}
	labels, err = c.OwnLabels("labels", labels)
	if err != nil {
		return err
	}
	setParam(c, "labels", labels)
	if !c.ShowLabelSteps {
		keys := slices.Sorted(maps.Keys(labels))
		c.Out.LabelStep = len(keys) - slices.Index(keys, c.LabelKey)
	}
	return nil
}

func checkCgroup(c *verdict.Case) error {
	if asked := c.Query.Get("cgroupparent"); asked != "" && asked != c.CgroupParent {
		return verdict.Deny("cgroup", "cgroup parent %s of a build: it is the operator's to choose; remove --cgroup-parent", asked)
	}
	c.Out.Query.Del("cgroupparent")
	if c.CgroupParent != "" {
		c.Out.Query.Set("cgroupparent", c.CgroupParent)
	}
	return nil
}

// checkNetwork holds the network of the RUN containers to the rules of
// containers.
func checkNetwork(c *verdict.Case) error {
	mode := c.Query.Get("networkmode")
	switch mode {
	case "", "default", "bridge", "none":
		return nil
	case "host":
		if c.HostNetwork {
			return nil
		}
		return verdict.Deny("network", "host network of a build: it reaches the host's services; remove --network host or ask the operator for --allow-host-network")
	}
	if ref, ok := strings.CutPrefix(mode, "container:"); ok {
		o, err := c.Own(verdict.Container, ref)
		c.Out.Query.Set("networkmode", "container:"+o.ID)
		return err
	}
	o, err := c.Own(verdict.Network, mode)
	c.Out.Query.Set("networkmode", o.ID)
	return err
}

// auxAPI is the first API whose builds tell the ID of the image, apart from what the
// build prints.
var auxAPI = verdict.Version{Major: 1, Minor: 30}

// checkTags has the image named when it is built.
func checkTags(c *verdict.Case) error {
	if c.Version.Less(auxAPI) {
		c.Request.Version = auxAPI
	}
	refs := c.Query["t"]
	c.Out.Query.Del("t")
	return give(c, refs...)
}

// checkCacheFrom drops the cache sources that are not usable, as the engine drops
// missing ones.
func checkCacheFrom(c *verdict.Case) error {
	refs, err := takeParam[[]string](c, "cachefrom")
	if err == nil {
		err = verdict.CheckList("cachefrom", len(refs))
	}
	if err != nil {
		return err
	}
	var usable []string
	for _, ref := range refs {
		o, err := c.Use(verdict.Image, ref)
		switch {
		case err == nil:
			usable = append(usable, o.ID)
		case !verdict.IsMissing(err):
			return err
		}
	}
	if len(usable) > 0 {
		setParam(c, "cachefrom", usable)
	}
	return nil
}

// checkArgs decodes buildargs=, in which null names an argument without a value.
func checkArgs(c *verdict.Case) (map[string]*string, error) {
	args, err := takeParam[map[string]*string](c, "buildargs")
	if args != nil {
		setParam(c, "buildargs", args)
	}
	return args, err
}

// checkUlimits holds ulimits= to the rules of containers.
func checkUlimits(c *verdict.Case) error {
	limits, err := takeParam[[]container.Ulimit](c, "ulimits")
	if limits != nil {
		setParam(c, "ulimits", limits)
	}
	if err != nil {
		return err
	}
	return container.Ulimits(nil, "ulimits", limits)
}

// takeParam removes a JSON parameter from the query and decodes it strictly.
func takeParam[T any](c *verdict.Case, name string) (value T, err error) {
	text := c.Query.Get(name)
	c.Out.Query.Del(name)
	if text == "" {
		return value, nil
	}
	if err := rawjson.DecodeStrict([]byte(text), &value); err != nil {
		return value, verdict.Bad(name, "parameter %s: %v", name, err)
	}
	return value, nil
}

func setParam(c *verdict.Case, name string, value any) {
	c.Out.Query.Set(name, string(rawjson.Encode(value)))
}

// limitParams are the limits of a build by their name in HostConfig.
var limitParams = map[string]string{
	"memory": "Memory", "memswap": "MemorySwap", "cpuperiod": "CpuPeriod", "cpuquota": "CpuQuota",
}

// limit holds the containers of a build to the ceilings of containers. A text that
// is no number is refused; engines read it as 0.
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
