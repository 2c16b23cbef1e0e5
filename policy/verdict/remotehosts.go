package verdict

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// RemoteGrants are where remote build contexts may come from. The zero value is
// nowhere.
type RemoteGrants struct {
	// Hosts are host names in lower case. "*.example.com" is every name below
	// example.com, "*" every host.
	Hosts []string
	// Addrs may be connected to though they are not public. A URL may name them in
	// place of a host.
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

func (g RemoteGrants) named(a netip.Addr) bool {
	for _, p := range g.Addrs {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// isPublic reports whether a is a public address. For IPv6 that is the global
// unicast range only, which excludes NAT64 and embedded IPv4.
func isPublic(a netip.Addr) bool {
	if !a.Is4() && !globalUnicast6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return a.Zone() == ""
}

var globalUnicast6 = netip.MustParsePrefix("2000::/3")

// special are the ranges of the IANA special-purpose address registries, and
// one address in public space that a cloud's hosts serve secrets from.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("168.63.129.16/32"), // Azure
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/4"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), // Teredo and other protocols
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4
	netip.MustParsePrefix("3fff::/20"),
}
