package policy

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
	"sockguard/rewrite/rawjson"
)

// buildParams are the parameters of POST /build that any engine reads.
const buildParams = "dockerfile remote t q nocache rm forcerm pull memory memswap cpushares cpuperiod cpuquota " +
	"cpusetcpus cpusetmems cgroupparent networkmode shmsize ulimits buildargs labels cachefrom target platform " +
	"extrahosts securityopt isolation squash outputs session buildid version"

// build decides POST /build for the classic builder. What the engine is asked
// to build is the context that sockguard rewrites, whatever the client named.
func build(c *call) error {
	q := c.out.Query
	if v := q.Get("version"); v != "" && v != "1" || q.Get("session") != "" || q.Get("buildid") != "" || q.Get("outputs") != "" {
		return deny("buildkit", "docker build with BuildKit is not open through this socket yet; set DOCKER_BUILDKIT=0 to build with the classic builder")
	}
	for _, check := range []func() error{c.buildRemote, c.buildLabels, c.buildCgroup, c.buildLimits, c.buildNetwork, c.buildTags, c.buildCacheFrom} {
		if err := check(); err != nil {
			return err
		}
	}
	args, err := c.buildArgs()
	if err != nil {
		return err
	}
	c.out.Context = &buildcontext.Options{
		Dockerfile: q.Get("dockerfile"),
		MaxBytes:   c.MaxContextBytes,
		MaxEntries: c.MaxContextEntries,
		Rewrite: dockerfile.Options{
			Labels:    []rewrite.Label{{Key: c.LabelKey, Value: c.Owner}},
			Guarded:   []string{c.LabelKey},
			Engine:    c.engine,
			BuildArgs: args,
			Target:    q.Get("target"),
			Image:     c.bases().image,
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

// buildLabels puts the owner label into labels=, which the engine applies to
// the final image.
func (c *call) buildLabels() error {
	labels := map[string]string{}
	if text := c.Query.Get("labels"); text != "" {
		if err := decodeParam("labels", text, &labels); err != nil {
			return err
		}
	}
	if err := c.checkOwnerLabel(labels); err != nil {
		return err
	}
	merged := map[string]string{c.LabelKey: c.Owner}
	maps.Copy(merged, labels)
	c.out.Query.Set("labels", encodeParam(merged))
	if !c.ShowLabelSteps {
		keys := slices.Sorted(maps.Keys(merged))
		c.out.LabelStep = len(keys) - slices.Index(keys, c.LabelKey)
	}
	return nil
}

// checkOwnerLabel refuses labels that give the owner key another value.
func (c *call) checkOwnerLabel(labels map[string]string) error {
	if v, ok := labels[c.LabelKey]; ok && v != c.Owner {
		return deny("label", "label %s=%q: the label names the owner and is set by sockguard; remove it", c.LabelKey, v)
	}
	return nil
}

func (c *call) buildCgroup() error {
	if asked := c.Query.Get("cgroupparent"); asked != "" && asked != c.CgroupParent {
		return deny("cgroup", "cgroup parent %s of a build: it is the operator's to choose; remove --cgroup-parent", asked)
	}
	c.out.Query.Del("cgroupparent")
	if c.CgroupParent != "" {
		c.out.Query.Set("cgroupparent", c.CgroupParent)
	}
	return nil
}

// buildNetwork checks the network of the RUN containers, by the rules of
// containers.
func (c *call) buildNetwork() error {
	mode := c.Query.Get("networkmode")
	switch mode {
	case "", "default", "bridge", "none":
		return nil
	case "host":
		if c.HostNetwork {
			return nil
		}
		return deny("network", "host network of a build: it reaches the host's services; remove --network host or ask the operator for --allow-host-network")
	}
	if ref, ok := strings.CutPrefix(mode, "container:"); ok {
		o, err := c.own(Container, ref)
		c.out.Query.Set("networkmode", "container:"+o.ID)
		return err
	}
	o, err := c.own(Network, mode)
	c.out.Query.Set("networkmode", o.ID)
	return err
}

func (c *call) buildTags() error {
	for _, ref := range c.Query["t"] {
		if err := c.mayTag(ref); err != nil {
			return err
		}
	}
	return nil
}

// buildCacheFrom drops the cache sources that are not to be seen, as the engine
// drops missing ones.
func (c *call) buildCacheFrom() error {
	text := c.Query.Get("cachefrom")
	if text == "" {
		return nil
	}
	var refs, usable []string
	if err := decodeParam("cachefrom", text, &refs); err != nil {
		return err
	}
	for _, ref := range refs {
		o, err := c.use(Image, ref)
		if d, ok := errors.AsType[*Denied](err); ok && d.Status == http.StatusNotFound {
			continue
		}
		if err != nil {
			return err
		}
		usable = append(usable, o.ID)
	}
	c.out.Query.Del("cachefrom")
	if len(usable) > 0 {
		c.out.Query.Set("cachefrom", encodeParam(usable))
	}
	return nil
}

// buildArgs decodes buildargs=, in which null names an argument without a value.
func (c *call) buildArgs() (args map[string]*string, err error) {
	text := c.Query.Get("buildargs")
	if text == "" {
		return nil, nil
	}
	if err := decodeParam("buildargs", text, &args); err != nil {
		return nil, err
	}
	c.out.Query.Set("buildargs", encodeParam(args))
	return args, nil
}

// decodeParam decodes a JSON parameter strictly and puts nothing else in its
// place: the engine must read the same value.
func decodeParam(name, text string, into any) error {
	if err := rawjson.DecodeStrict([]byte(text), into); err != nil {
		return bad(name, "parameter %s: %v", name, err)
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
