package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"sockguard/policy/verdict"
	"sockguard/proxy/internal/crash"
)

const (
	// dialTimeout bounds one connection attempt, and the look-up of a name.
	dialTimeout = 10 * time.Second

	// silence is how long a server may send nothing before the fetch ends.
	silence = 2 * time.Minute

	// maxAddrs is how many addresses of a host are tried.
	maxAddrs = 8
)

// A dialer connects to the hosts that remote contexts may come from. It resolves a
// name once, and connects to the address that it has checked.
type dialer struct {
	grants verdict.RemoteGrants
	// lookup is net.DefaultResolver.LookupNetIP unless a test says otherwise.
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DialContext connects to address, a host and a port, over TCP. The transport calls it
// in a goroutine of its own.
func (d *dialer) DialContext(ctx context.Context, _, address string) (conn net.Conn, err error) {
	defer crash.Error(&err)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !d.grants.Host(host) {
		return nil, &verdict.Denied{
			Status: http.StatusForbidden, Rule: "remote",
			Message: fmt.Sprintf("a remote context leads to the host %s, which is not granted; ask the operator for --allow-remote %s", host, host),
		}
	}
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs[:min(len(addrs), maxAddrs)] {
		var c net.Conn
		tcp := net.Dialer{Timeout: dialTimeout}
		if c, err = tcp.DialContext(ctx, "tcp", net.JoinHostPort(a.String(), port)); err == nil {
			return &idleConn{c}, nil
		}
	}
	return nil, err
}

// resolve returns the granted addresses of host. Having none is an error.
func (d *dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	found := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		found = append(found, a)
	} else if found, err = d.lookup(ctx, "ip", host); err != nil {
		return nil, err
	}
	var open []netip.Addr
	var shut []string
	for _, a := range found {
		if d.grants.Addr(a) {
			open = append(open, a.Unmap())
		} else {
			shut = append(shut, a.String())
		}
	}
	if len(open) == 0 {
		message := fmt.Sprintf("a remote context leads to the host %s, which has no public address; ask the operator to grant the address too, as in --allow-remote %s,10.0.0.0/8", host, host)
		return nil, &verdict.Denied{
			Status: http.StatusForbidden, Rule: "remote", Message: message,
			Truth: message + "; it has " + strings.Join(shut[:min(len(shut), maxAddrs)], " "),
		}
	}
	return open, nil
}

// An idleConn fails when its peer sends nothing for the time of silence.
type idleConn struct{ net.Conn }

func (c *idleConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}
