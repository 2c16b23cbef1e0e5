package network

import (
	"net/netip"
	"slices"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

type ipam struct {
	Driver  string
	Options map[string]string
	Config  []pool
}

// A pool is a subnet of a network, and addresses in it.
type pool struct {
	Subnet, IPRange, Gateway string
	AuxiliaryAddresses       map[string]string
}

// checkIPAM permits the engine's own address management, in subnets that the engine
// would pick or that the operator granted. The host sends all traffic for a network's
// subnet into that network. It needs the whole body: the networks of a swarm have
// routes in containers only, and addresses of their own.
func (d *draft) checkIPAM(o *rawjson.Object) error {
	const path = "IPAM"
	v, err := verdict.Decode[ipam](path, o.Value(path))
	switch {
	case err != nil:
		return err
	case v.Driver != "" && v.Driver != "default":
		return field.Deny(path+".Driver", verdict.Quoted(v.Driver), "it is a plugin on the host; use default", "")
	case len(v.Options) > 0:
		return field.Deny(path+".Options", "", "they are for plugins", "")
	}
	if len(v.Config) == 0 {
		return nil
	}
	open, err := d.subnets()
	if err != nil {
		return err
	}
	taken, err := d.routes()
	if err != nil {
		return err
	}
	for _, p := range v.Config {
		if p.Subnet == "" && p.IPRange == "" && p.Gateway == "" && len(p.AuxiliaryAddresses) == 0 {
			continue
		}
		if err := d.checkPool(path+".Config", p, open, taken); err != nil {
			return err
		}
	}
	return nil
}

// checkPool permits a pool whose subnet is in one of the open ranges and, unless it is
// granted, holds no taken address, and whose other addresses are in the subnet.
func (d *draft) checkPool(path string, p pool, open, taken []netip.Prefix) error {
	subnet, err := netip.ParsePrefix(p.Subnet)
	if err != nil {
		return verdict.Bad("network", "%s %s: it is no subnet; write 172.30.0.0/16", path, verdict.Quoted(p.Subnet))
	}
	holdsSubnet := func(pool netip.Prefix) bool { return within(subnet, pool) }
	if !slices.ContainsFunc(open, holdsSubnet) {
		return verdict.Deny("network", "%s %s: the host would send its own traffic for these addresses there; leave the choice to the engine, use a part of %s, or ask the operator for --allow-subnet %s",
			path, verdict.Quoted(p.Subnet), list(open), subnet.Masked())
	}
	if i := slices.IndexFunc(taken, subnet.Overlaps); i >= 0 && !slices.ContainsFunc(d.Subnets, holdsSubnet) {
		return verdict.Deny("network", "%s %s: the host has a route to %s, and would send this traffic there; leave the choice to the engine, or use another subnet", path, verdict.Quoted(p.Subnet), taken[i])
	}
	if p.IPRange != "" {
		if r, err := netip.ParsePrefix(p.IPRange); err != nil || !within(r, subnet) {
			return verdict.Bad("network", "%s: IPRange %s is no part of %s; write one", path, verdict.Quoted(p.IPRange), p.Subnet)
		}
	}
	for _, text := range p.AuxiliaryAddresses {
		if !holds(subnet, text) {
			return verdict.Bad("network", "%s: AuxiliaryAddresses %s is no address of %s; write one", path, verdict.Quoted(text), p.Subnet)
		}
	}
	if p.Gateway != "" && !holds(subnet, p.Gateway) {
		return verdict.Bad("network", "%s: Gateway %s is no address of %s; write one", path, verdict.Quoted(p.Gateway), p.Subnet)
	}
	return nil
}

// overlays is where a swarm has the subnets of its networks by default.
var overlays = netip.MustParsePrefix("10.0.0.0/8")

// subnets returns where a network may have its addresses.
func (d *draft) subnets() ([]netip.Prefix, error) {
	pools, err := d.Inspector.AddressPools(d.Ctx)
	if d.overlay {
		pools = append(pools, overlays)
	}
	return append(pools, d.Subnets...), err
}

// routes returns where the host has routes to, which a network of the host's would
// take over.
func (d *draft) routes() ([]netip.Prefix, error) {
	if d.HostRoutes == nil || d.overlay {
		return nil, nil
	}
	return d.HostRoutes()
}

func list(pools []netip.Prefix) string {
	var texts []string
	for _, p := range pools {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ", ")
}

// within reports whether all of p is in pool.
func within(p, pool netip.Prefix) bool { return pool.Contains(p.Addr()) && p.Bits() >= pool.Bits() }

// holds reports whether text is an address of subnet.
func holds(subnet netip.Prefix, text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && subnet.Contains(a)
}

type endpointIPAM struct {
	IPv4Address, IPv6Address string
	LinkLocalIPs             []string
}

// checkAddresses decides the addresses that a container asks for. The engine gives
// only those of the network's subnets, but for link-local ones.
func checkAddresses(_ *verdict.Case, path string, e endpointIPAM) error {
	for _, text := range e.LinkLocalIPs {
		if a, err := netip.ParseAddr(text); text != "" && (err != nil || !a.IsLinkLocalUnicast()) {
			return verdict.Bad("network", "%s.LinkLocalIPs %s: it is no link-local address; write one of 169.254.0.0/16 or fe80::/10", path, verdict.Quoted(text))
		}
	}
	return nil
}
