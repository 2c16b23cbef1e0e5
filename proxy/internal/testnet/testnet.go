// Package testnet holds networks for tests: a proxy in the middle, a client that
// reaches it and an engine that it reaches, over unix sockets or over a TCP stack in
// user space.
package testnet

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"sockguard/proxy/listen"
)

// A Net has a proxy in the middle: a client reaches it, it reaches an engine.
type Net struct {
	Proxy, Engine net.Listener
	DialProxy     func() (net.Conn, error)
	DialEngine    func(context.Context) (net.Conn, error)
}

// All returns how to make each kind of network.
func All() map[string]func(*testing.T) Net {
	return map[string]func(*testing.T) Net{"unix": Unix, "netstack": func(t *testing.T) Net { return Netstack(t).Net }}
}

// Unix returns a network of unix sockets.
func Unix(t *testing.T) Net {
	dir := t.TempDir()
	open := func(name string) (net.Listener, string) {
		path := filepath.Join(dir, name)
		l, err := listen.Listen(path, listen.Options{UID: -1, GID: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l, path
	}
	proxy, proxyPath := open("proxy")
	engine, enginePath := open("engine")
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", enginePath)
	}
	return Net{proxy, engine, func() (net.Conn, error) { return net.Dial("unix", proxyPath) }, dial}
}

// A NetstackNet is two hosts and a wire in user space: the proxy is one host,
// client and engine are the other.
type NetstackNet struct {
	Net

	other *stack.Stack
}

var (
	proxyAddr  = tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4([4]byte{10, 0, 0, 1}), Port: 80}
	engineAddr = tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 2375}
)

// Netstack returns a network in user space.
func Netstack(t *testing.T) NetstackNet {
	a, b := pipe.New("\x02\x03\x03\x04\x05\x06", "\x02\x03\x03\x04\x05\x07", 1500)
	host, other := newStack(t, a, proxyAddr.Addr), newStack(t, b, engineAddr.Addr)
	listen := func(s *stack.Stack, at tcpip.FullAddress) net.Listener {
		l, err := gonet.ListenTCP(s, at, ipv4.ProtocolNumber)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	return NetstackNet{Net{
		Proxy:     listen(host, proxyAddr),
		Engine:    listen(other, engineAddr),
		DialProxy: func() (net.Conn, error) { return gonet.DialTCP(other, proxyAddr, ipv4.ProtocolNumber) },
		DialEngine: func(ctx context.Context) (net.Conn, error) {
			return gonet.DialContextTCP(ctx, host, engineAddr, ipv4.ProtocolNumber)
		},
	}, other}
}

func newStack(t *testing.T, link stack.LinkEndpoint, addr tcpip.Address) *stack.Stack {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	if err := s.CreateNIC(1, link); err != nil {
		t.Fatal(err)
	}
	at := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddressWithPrefix{Address: addr, PrefixLen: 24}}
	if err := s.AddProtocolAddress(1, at, stack.AddressProperties{}); err != nil {
		t.Fatal(err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	t.Cleanup(s.Destroy)
	return s
}

// DialResetting connects to the proxy; Close then sends a reset.
func (n NetstackNet) DialResetting(t *testing.T) net.Conn {
	var wq waiter.Queue
	ep, terr := n.other.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, &wq)
	if terr != nil {
		t.Fatal(terr)
	}
	ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: true})
	entry, connected := waiter.NewChannelEntry(waiter.WritableEvents)
	wq.EventRegister(&entry)
	defer wq.EventUnregister(&entry)
	if terr := ep.Connect(proxyAddr); terr != nil {
		if _, ok := terr.(*tcpip.ErrConnectStarted); !ok {
			t.Fatal(terr)
		}
	}
	<-connected
	return gonet.NewTCPConn(&wq, ep)
}
