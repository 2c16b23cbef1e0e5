package policy

import (
	"net/netip"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

var networkTable = []Field{
	{Name: "Name", Verdict: Checked, check: checkNetworkName, zero: true},
	{Name: "Driver", Verdict: Checked, Why: "other drivers reach the host's network or other hosts", check: checkNetworkDriver},
	{Name: "Options", Verdict: Checked, Why: "they set up the host's network", check: checkNetworkOptions},
	{Name: "IPAM", Verdict: Checked, Why: "an address range takes its traffic away from the host", check: checkIPAM},
	{Name: "Labels", Verdict: Allowed}, // createNetwork sets them
	{Name: "Internal", Verdict: Allowed},
	{Name: "EnableIPv4", Since: "1.48", Verdict: Allowed},
	{Name: "EnableIPv6", Verdict: Allowed},
	{Name: "Attachable", Verdict: Allowed}, // of overlay networks; Compose sends true
	{Name: "CheckDuplicate", Until: "1.43", Verdict: Dropped, Why: "sockguard sets it"},
	{Name: "Scope", Verdict: Checked, Why: "it makes a network of the swarm's", check: checkScope},
	{Name: "Ingress", Verdict: Refused, Why: "it makes a network of the swarm's"},
	{Name: "ConfigOnly", Verdict: Refused, Why: "it is a set of options for other networks"},
	{Name: "ConfigFrom", Verdict: Checked, Why: "it takes options over from another network", check: checkConfigFrom},
}

// createNetwork decides POST /networks/create. CheckDuplicate is set, without
// which older engines make a second network of somebody else's name.
func createNetwork(c *call) error {
	o, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	if err := d.walk("", networkTable, &o); err != nil {
		return err
	}
	value, _ := o.Get("Name")
	if value == nil {
		return bad("name", "empty network name: nothing is named; give a name")
	}
	name, err := decode[string]("Name", value)
	if err != nil {
		return err
	}
	if err := c.checkLabels(&o); err != nil {
		return err
	}
	o.Set("CheckDuplicate", jsontext.Value("true"))
	c.out.Body = o.Marshal()
	if body := c.joinBody(); body != nil && !d.overlay { // only services can be put into most overlay networks
		c.out.After = append(c.out.After, Call{Method: "POST", Path: "/networks/" + name + "/connect", Body: body})
	}
	return nil
}

// removeNetwork decides DELETE /networks/{name}; the operator's container leaves
// it first.
func removeNetwork(c *call) error {
	o, err := c.own(Network, c.Request.Name)
	if err != nil {
		return err
	}
	c.out.Name = o.ID
	if joined := c.joined(); joined != "" {
		body := rawjson.Encode(struct {
			Container string
			Force     bool
		}{joined, true})
		c.out.Before = append(c.out.Before, Call{Method: "POST", Path: "/networks/" + o.ID + "/disconnect", Body: body, Optional: true})
	}
	return nil
}

// joined is the operator's container that joins every network of the owner's.
func (g *Grants) joined() string {
	container, _, _ := strings.Cut(g.Link, ":")
	if container == "" {
		container = g.JoinNetwork
	}
	return container
}

// joinBody is the body of its connect, nil without such a container.
func (g *Grants) joinBody() []byte {
	container := g.joined()
	if container == "" {
		return nil
	}
	type endpoint struct{ Aliases []string }
	body := struct {
		Container      string
		EndpointConfig *endpoint `json:",omitzero"`
	}{Container: container}
	if g.JoinAlias != "" {
		body.EndpointConfig = &endpoint{[]string{g.JoinAlias}}
	}
	return rawjson.Encode(body)
}

func checkNetworkName(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	name, err := decode[string](path, v)
	if err == nil && !validName(name) {
		err = bad("network", "%s %s: it is no name for a network; use letters, digits, and _ . - after the first", path, quoted(name))
	}
	return v, err
}

func checkNetworkDriver(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	driver, err := decode[string](path, v)
	d.overlay = driver == "overlay"
	if err == nil && driver != "bridge" && driver != "default" && !(d.overlay && d.Swarm) {
		err = denyField(path, quoted(driver), "it reaches the host's network or other hosts; use bridge", "")
	}
	return v, err
}

// bridgeOptions are the options that stay inside a bridge of its own.
func bridgeOption(key, value string) bool {
	switch key {
	case "com.docker.network.bridge.enable_icc", "com.docker.network.bridge.enable_ip_masquerade",
		"com.docker.network.driver.mtu", "com.docker.network.container_iface_prefix", "com.docker.network.enable_ipv6":
		return true
	case "com.docker.network.bridge.gateway_mode_ipv4", "com.docker.network.bridge.gateway_mode_ipv6":
		return value == "nat" || value == "isolated"
	case "encrypted": // of overlay networks
		return true
	}
	return false
}

func checkNetworkOptions(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	options, err := decode[map[string]string](path, v)
	for key, value := range options {
		if !bridgeOption(key, value) {
			return nil, denyField(path, quoted(key+"="+value), "it sets up the host's network", "")
		}
	}
	return v, err
}

func checkScope(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	scope, err := decode[string](path, v)
	if err == nil && scope != "local" && !(scope == "swarm" && d.Swarm) {
		err = denyField(path, quoted(scope), "it makes a network of the swarm's; use local", "")
	}
	return v, err
}

func checkConfigFrom(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	from, err := decode[struct{ Network string }](path, v)
	if err == nil && from.Network != "" {
		err = denyField(path, quoted(from.Network), "it takes options over from another network", "")
	}
	return v, err
}

type ipamPool struct {
	Subnet             string            `json:",omitzero"`
	IPRange            string            `json:",omitzero"`
	Gateway            string            `json:",omitzero"`
	AuxiliaryAddresses map[string]string `json:"AuxiliaryAddresses,omitzero"`
}

// checkIPAM permits the engine's own address management, on private ranges: the
// host routes a subnet to the network from everywhere.
func checkIPAM(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	ipam, err := decode[struct {
		Driver  string
		Options map[string]string
		Config  []ipamPool
	}](path, v)
	if err != nil {
		return nil, err
	}
	if ipam.Driver != "" && ipam.Driver != "default" {
		return nil, denyField(path+".Driver", quoted(ipam.Driver), "it is a plugin on the host; use default", "")
	}
	if len(ipam.Options) > 0 {
		return nil, denyField(path+".Options", "", "they are for plugins", "")
	}
	for _, pool := range ipam.Config {
		if pool.Subnet == "" {
			continue
		}
		subnet, err := netip.ParsePrefix(pool.Subnet)
		if err != nil {
			return nil, bad("network", "%s %s: it is no subnet; write 172.30.0.0/16", path, quoted(pool.Subnet))
		}
		if !privateSubnet(subnet) {
			return nil, denyField(path, quoted(pool.Subnet), "it is outside the private ranges, and the host would send its traffic there; use a part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7", "")
		}
	}
	return v, nil
}

// privateRanges are those of RFC 1918 and RFC 4193.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
}

// privateSubnet reports whether all of p is in one private range.
func privateSubnet(p netip.Prefix) bool {
	for _, r := range privateRanges {
		if r.Contains(p.Addr()) && p.Bits() >= r.Bits() {
			return true
		}
	}
	return false
}
