package image

import (
	"maps"
	"slices"
	"strings"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
	"sockguard/rewrite/rawjson"
)

// BuildParams are the parameters of POST /build that any engine reads.
const BuildParams = "dockerfile remote t q nocache rm forcerm pull memory memswap cpushares cpuperiod cpuquota " +
	"cpusetcpus cpusetmems cgroupparent networkmode shmsize ulimits buildargs labels cachefrom target platform " +
	"extrahosts securityopt isolation squash outputs session buildid version"

// Build decides POST /build for the classic builder. The engine builds the
// context that sockguard rewrites, from the Dockerfile that sockguard wrote.
func Build(c *verdict.Case) error {
	q := c.Out.Query
	if v := q.Get("version"); v != "" && v != "1" || q.Get("session") != "" || q.Get("buildid") != "" || q.Get("outputs") != "" {
		return verdict.Deny("buildkit", "docker build with BuildKit is not open through this socket yet; set DOCKER_BUILDKIT=0 to build with the classic builder")
	}
	for _, check := range []func(*verdict.Case) error{decideRemote, checkLabels, checkCgroup, limit, checkNetwork, checkTags, checkCacheFrom} {
		if err := check(c); err != nil {
			return err
		}
	}
	args, err := checkArgs(c)
	if err != nil {
		return err
	}
	c.Out.Context = &buildcontext.Options{
		Dockerfile: q.Get("dockerfile"),
		MaxBytes:   c.MaxContextBytes,
		MaxEntries: c.MaxContextEntries,
		Rewrite: dockerfile.Options{
			Labels:    []rewrite.Label{{Key: c.LabelKey, Value: c.Owner}},
			Guarded:   []string{c.LabelKey},
			Engine:    c.Engine,
			BuildArgs: args,
			Target:    q.Get("target"),
			Image:     newBases(c).image,
		},
	}
	for _, unread := range []string{"version", "session", "buildid", "outputs", "remote", "securityopt"} {
		q.Del(unread)
	}
	q.Set("dockerfile", buildcontext.DockerfileName)
	q.Set("rm", "1")
	q.Set("forcerm", "1")
	return nil
}

// checkLabels puts the owner label into labels=, which the engine applies to
// the final image.
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

func checkTags(c *verdict.Case) error {
	for _, ref := range c.Query["t"] {
		if err := mayTag(c, ref); err != nil {
			return err
		}
	}
	return nil
}

// checkCacheFrom drops the cache sources that are not usable, as the engine drops
// missing ones.
func checkCacheFrom(c *verdict.Case) error {
	refs, err := takeParam[[]string](c, "cachefrom")
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

// takeParam takes a JSON parameter out of the query. It decodes it strictly: the
// engine must read the same value.
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
