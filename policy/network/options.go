package network

import (
	"net/netip"

	"sockguard/policy/field"
	"sockguard/policy/verdict"

	"github.com/go-json-experiment/json/jsontext"
)

func checkName(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	name, err := verdict.Decode[string](path, v)
	if err == nil && !verdict.ValidName(name) {
		err = verdict.Bad("network", "%s %s: it is no name for a network; use letters, digits, and _ . - after the first", path, verdict.Quoted(name))
	}
	return v, err
}

func checkDriver(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	driver, err := verdict.Decode[string](path, v)
	d.overlay = driver == "overlay"
	if err == nil && driver != "bridge" && driver != "default" && !(d.overlay && d.Swarm) {
		err = field.Deny(path, verdict.Quoted(driver), "it reaches the host's network or other hosts; use bridge", "")
	}
	return v, err
}

// bridgeOption reports whether an option changes nothing outside the network.
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

func checkOptions(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	options, err := verdict.Decode[map[string]string](path, v)
	for key, value := range options {
		if !bridgeOption(key, value) {
			return nil, field.Deny(path, verdict.Quoted(key+"="+value), "it sets up the host's network", "")
		}
	}
	return v, err
}

func checkScope(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	scope, err := verdict.Decode[string](path, v)
	if err == nil && scope != "local" && !(scope == "swarm" && d.Swarm) {
		err = field.Deny(path, verdict.Quoted(scope), "it makes a network of the swarm's; use local", "")
	}
	return v, err
}

func checkConfigFrom(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	from, err := verdict.Decode[struct{ Network string }](path, v)
	if err == nil && from.Network != "" {
		err = field.Deny(path, verdict.Quoted(from.Network), "it takes options over from another network", "")
	}
	return v, err
}

type ipamPool struct {
	Subnet             string            `json:",omitzero"`
	IPRange            string            `json:",omitzero"`
	Gateway            string            `json:",omitzero"`
	AuxiliaryAddresses map[string]string `json:"AuxiliaryAddresses,omitzero"`
}

// checkIPAM permits the engine's own address management, on private ranges. The
// host routes a network's whole subnet to it, so a public range would take that
// traffic away from the host.
func checkIPAM(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	ipam, err := verdict.Decode[struct {
		Driver  string
		Options map[string]string
		Config  []ipamPool
	}](path, v)
	if err != nil {
		return nil, err
	}
	if ipam.Driver != "" && ipam.Driver != "default" {
		return nil, field.Deny(path+".Driver", verdict.Quoted(ipam.Driver), "it is a plugin on the host; use default", "")
	}
	if len(ipam.Options) > 0 {
		return nil, field.Deny(path+".Options", "", "they are for plugins", "")
	}
	for _, pool := range ipam.Config {
		if pool.Subnet == "" {
			continue
		}
		subnet, err := netip.ParsePrefix(pool.Subnet)
		if err != nil {
			return nil, verdict.Bad("network", "%s %s: it is no subnet; write 172.30.0.0/16", path, verdict.Quoted(pool.Subnet))
		}
		if !privateSubnet(subnet) {
			return nil, field.Deny(path, verdict.Quoted(pool.Subnet), "it is outside the private ranges, and the host would send its traffic there; use a part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7", "")
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
