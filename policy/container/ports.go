package container

import (
	"strconv"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// unprivileged are the host ports that may be published without a grant.
var unprivileged = []verdict.PortRange{{First: 1024, Last: 65535}}

type portBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// checkPortBindings permits ports that the engine chooses, and those in the
// operator's ranges.
func checkPortBindings(d *Draft, path string, ports map[string][]portBinding) error {
	for _, bindings := range ports {
		d.published += len(bindings)
		for _, b := range bindings {
			if err := CheckPort(d.Case, path, b.HostPort); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckPort decides a host port: "8080", or a range, "8000-8010". "" and "0" leave
// the choice to the engine.
func CheckPort(c *verdict.Case, path, port string) error {
	if port == "" || port == "0" {
		return nil
	}
	from, to, isRange := strings.Cut(port, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	if err1 != nil || err2 != nil || first > last {
		return verdict.Bad("body", "%s: %s is no host port; write a number or a range, 8000-8010", path, verdict.Quoted(port))
	}
	ranges := c.PublishedPorts
	if ranges == nil {
		ranges = unprivileged
	}
	for _, r := range ranges {
		if uint64(r.First) <= first && last <= uint64(r.Last) {
			return nil
		}
	}
	return field.Deny(path, verdict.Quoted(port), "this host port is not open to containers; publish another, or let the engine choose", "--allow-port "+port)
}

// checkPublished bounds the ports that a container publishes. For each of them an engine
// runs processes on the host, outside of the container's limits.
func (d *Draft) checkPublished(config, host *rawjson.Object, image verdict.Object) error {
	exposed, err := verdict.Decode[map[string]struct{}]("ExposedPorts", config.Value("ExposedPorts"))
	if err != nil {
		return err
	}
	if !rawjson.Empty(host.Value("PublishAllPorts")) {
		d.published += len(exposed) + image.Exposed
	}
	return verdict.CheckList("HostConfig.PortBindings", d.published)
}
