package listen

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"sockguard/policy/verdict"
)

// CheckPage refuses a request over TCP that a web page may have sent. Whoever can
// connect may use a TCP socket, and a browser connects for any page: with an Origin,
// with Sec-Fetch-Site, or to a name that the page's own DNS gives this address. Names
// are those, in lower case, by which clients may call the socket besides addresses and
// private ones.
func CheckPage(r *http.Request, names []string) error {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); !ok || at.Network() != "tcp" {
		return nil
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if len(r.Header.Values("Origin")) > 0 || site != "" && site != "none" {
		return verdict.Deny("page", "a request of a web page: no page may use this socket; use a Docker client")
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host = strings.ToLower(strings.TrimSuffix(host, ".")); privateHost(host) || slices.Contains(names, host) {
		return nil
	}
	return verdict.Deny("page", "Host %s: a web page could reach this socket by a name of its own; call the socket by its address, or ask the operator for --listen-name %s", verdict.Quoted(host), host)
}

// privateHost reports whether nobody can give a host an address in public DNS: it is
// an address itself, a name without a dot, or one under a private top-level domain.
func privateHost(host string) bool {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	domain := host[strings.LastIndexByte(host, '.')+1:]
	return domain == host || slices.Contains([]string{"localhost", "local", "internal"}, domain)
}
