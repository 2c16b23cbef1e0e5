package verdict

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Remote is a build context that sockguard fetches instead of the engine: an
// archive, or a plain Dockerfile.
type Remote struct {
	URL *url.URL // http or https, without a fragment
}

// String returns the address without the parts that may be secret: user, password
// and query.
func (r *Remote) String() string {
	return (&url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path}).String()
}

// CheckRemote refuses a context from a host that is not granted.
func (g *Grants) CheckRemote(r *Remote) error {
	if host := r.URL.Hostname(); !g.Remotes.Host(host) {
		return Deny("remote", "build of the remote context %s: the engine would fetch it with the host's network and unseen, and sockguard fetches from hosts that the operator names; "+
			"clone or download it and build from the directory, or ask for --allow-remote %s", r, host)
	}
	return nil
}

// RemoteGrants are where remote build contexts may come from. The zero value is
// nowhere.
type RemoteGrants struct {
	// Hosts are host names in lower case. "*.example.com" is every name below
	// example.com, "*" every host.
	Hosts []string
	// Addrs are addresses that may be connected to although they are not public. A
	// URL may name them as its host.
	Addrs []netip.Prefix
}

// ParseRemoteGrants reads host names, addresses and ranges of addresses.
func ParseRemoteGrants(list []string) (g RemoteGrants, err error) {
	for _, text := range list {
		if p, err := netip.ParsePrefix(text); err == nil {
			g.Addrs = append(g.Addrs, p.Masked())
			continue
		}
		if a, err := netip.ParseAddr(text); err == nil {
			g.Addrs = append(g.Addrs, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		if !hostPattern.MatchString(strings.ToLower(text)) {
			return g, fmt.Errorf("allow-remote %s: write a host, an address or a range, as in github.com, *.example.com or 10.0.0.0/8", text)
		}
		g.Hosts = append(g.Hosts, hostName(text))
	}
	return g, nil
}

// hostPattern matches an ASCII host name, whose first label may be a star.
var hostPattern = regexp.MustCompile(`^(\*|(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?)$`)

// hostName is the form in which host names are compared.
func hostName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// Host reports whether contexts may come from host, a name or an address.
func (g RemoteGrants) Host(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil && g.named(a.Unmap()) {
		return true
	}
	host = hostName(host)
	for _, granted := range g.Hosts {
		below, wild := strings.CutPrefix(granted, "*")
		if host == granted || wild && len(host) > len(below) && strings.HasSuffix(host, below) {
			return true
		}
	}
	return false
}

// Addr reports whether a connection to a may be made, for a host that is
// granted.
func (g RemoteGrants) Addr(a netip.Addr) bool {
	a = a.Unmap()
	return g.named(a) || isPublic(a)
}

func (g RemoteGrants) named(a netip.Addr) bool { return within(a, g.Addrs) }

func within(a netip.Addr, ranges []netip.Prefix) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isPublic reports whether a is a public address. For IPv6 that is the global
// unicast range only, which excludes NAT64 and embedded IPv4.
func isPublic(a netip.Addr) bool {
	return a.Zone() == "" && (a.Is4() || globalUnicast6.Contains(a)) && !within(a, special)
}

var globalUnicast6 = netip.MustParsePrefix("2000::/3")

// special are the ranges of the IANA special-purpose address registries, and
// one address in public space that the hosts of Azure serve secrets from.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", // Teredo and other protocols
	"2001:db8::/32",
	"2002::/16", // 6to4
	"3fff::/20",
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}
