package image

import (
	"encoding/json"
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
	var labels map[string]string
	if text := c.Query.Get("labels"); text != "" {
		if err := decodeParam("labels", text, &labels); err != nil {
			return err
		}
	}
	labels, err := c.OwnLabels("labels", labels)
	if err != nil {
		return err
	}
	c.Out.Query.Set("labels", encodeParam(labels))
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
	text := c.Query.Get("cachefrom")
	if text == "" {
		return nil
	}
	var refs, usable []string
	if err := decodeParam("cachefrom", text, &refs); err != nil {
		return err
	}
	for _, ref := range refs {
		o, err := c.Use(verdict.Image, ref)
		if verdict.IsMissing(err) {
			continue
		}
		if err != nil {
			return err
		}
		usable = append(usable, o.ID)
	}
	c.Out.Query.Del("cachefrom")
	if len(usable) > 0 {
		c.Out.Query.Set("cachefrom", encodeParam(usable))
	}
	return nil
}

// checkArgs decodes buildargs=, in which null names an argument without a value.
func checkArgs(c *verdict.Case) (args map[string]*string, err error) {
	text := c.Query.Get("buildargs")
	if text == "" {
		return nil, nil
	}
	if err := decodeParam("buildargs", text, &args); err != nil {
		return nil, err
	}
	c.Out.Query.Set("buildargs", encodeParam(args))
	return args, nil
}

// decodeParam decodes a JSON parameter strictly: the engine must read the same
// value.
func decodeParam(name, text string, into any) error {
	if err := rawjson.DecodeStrict([]byte(text), into); err != nil {
		return verdict.Bad(name, "parameter %s: %v", name, err)
	}
	return nil
}

// encodeParam is the inverse of decodeParam for strings, lists and maps of
// strings, which always have a JSON form.
func encodeParam(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
