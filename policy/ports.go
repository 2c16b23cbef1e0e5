package policy

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// unprivileged are the host ports that may be published without a grant.
var unprivileged = []PortRange{{1024, 65535}}

type portBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// checkPortBindings permits ports that the engine chooses, and those in the
// operator's ranges.
func checkPortBindings(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	ports, err := decode[map[string][]portBinding](path, v)
	if err != nil {
		return nil, err
	}
	ranges := d.PublishedPorts
	if ranges == nil {
		ranges = unprivileged
	}
	for _, bindings := range ports {
		for _, b := range bindings {
			if err := checkPort(path, b.HostPort, ranges); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// checkPort judges "8080", "8000-8010" or "", which leaves the choice to the
// engine, as "0" does.
func checkPort(path, port string, ranges []PortRange) error {
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
		return bad("body", "%s: %s is no host port; write a number or a range, 8000-8010", path, quoted(port))
	}
	for _, r := range ranges {
		if uint64(r.First) <= first && last <= uint64(r.Last) {
			return nil
		}
	}
	return denyField(path, quoted(port), "this host port is not open to containers; publish another, or let the engine choose", "--allow-port "+port)
}
