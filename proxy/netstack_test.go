package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// A testNet has a proxy in the middle: a client reaches it, it reaches an engine.
type testNet struct {
	proxy, engine net.Listener
	dialProxy     func() (net.Conn, error)
	dialEngine    func(context.Context) (net.Conn, error)
}

// testNets are the networks that every tunnel is tested on.
func testNets() map[string]func(*testing.T) testNet {
	return map[string]func(*testing.T) testNet{"unix": unixNet, "netstack": func(t *testing.T) testNet { return netstack(t).net }}
}

func unixNet(t *testing.T) testNet {
	dir := t.TempDir()
	listen := func(name string) (net.Listener, string) {
		path := filepath.Join(dir, name)
		l, err := Listen(path, ListenOptions{UID: -1, GID: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l, path
	}
	proxy, proxyPath := listen("proxy")
	engine, enginePath := listen("engine")
	u, err := NewUpstream("unix://"+enginePath, TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	return testNet{proxy, engine, func() (net.Conn, error) { return net.Dial("unix", proxyPath) }, u.Dial}
}

// A netstackNet is two hosts and a wire in user space: the proxy is one host,
// client and engine are the other.
type netstackNet struct {
	net   testNet
	other *stack.Stack
}

var (
	proxyAddr  = tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4([4]byte{10, 0, 0, 1}), Port: 80}
	engineAddr = tcpip.FullAddress{NIC: 1, Addr: tcpip.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 2375}
)

func netstack(t *testing.T) netstackNet {
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
	return netstackNet{testNet{
		proxy:     listen(host, proxyAddr),
		engine:    listen(other, engineAddr),
		dialProxy: func() (net.Conn, error) { return gonet.DialTCP(other, proxyAddr, ipv4.ProtocolNumber) },
		dialEngine: func(ctx context.Context) (net.Conn, error) {
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

// dialResetting connects to the proxy; Close then sends a reset.
func (n netstackNet) dialResetting(t *testing.T) net.Conn {
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

// forward serves n.proxy with a plain forwarder over the transport of an
// engine, and tells how each exchange ended.
func forward(t *testing.T, n testNet) <-chan error {
	u, err := NewUpstream("tcp://engine:1", TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	tr := u.Transport()
	tr.dial = n.dialEngine
	t.Cleanup(tr.CloseIdleConnections)
	ended := make(chan error, 10)
	serveHTTP(t, n.proxy, func(w http.ResponseWriter, r *http.Request) {
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = "http", "engine"
		resp, err := tr.RoundTrip(out)
		if err != nil {
			ended <- err
			panic(http.ErrAbortHandler)
		}
		defer resp.Body.Close()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		f := newFlushWriter(w)
		f.WriteHeader(resp.StatusCode)
		_, err = io.Copy(f, resp.Body)
		ended <- err
		if f.copyErr() != nil {
			panic(http.ErrAbortHandler)
		}
	})
	return ended
}

func serveHTTP(t *testing.T, l net.Listener, h http.HandlerFunc) {
	life, end := context.WithCancel(t.Context())
	srv := &http.Server{Handler: h, BaseContext: func(net.Listener) context.Context { return withLifetime(life) }}
	go srv.Serve(l)
	t.Cleanup(func() { end(); srv.Close() })
}

// TestNetstackResetMidUpload: an upload that is reset reaches the engine as a
// broken body, never as a shorter whole one.
func TestNetstackResetMidUpload(t *testing.T) {
	for _, framing := range []string{"Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		t.Run(framing, func(t *testing.T) {
			n := netstack(t)
			ended := forward(t, n.net)
			started, broken := make(chan struct{}), make(chan error, 1)
			serveHTTP(t, n.net.engine, func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.ReadFull(r.Body, make([]byte, 5))
				close(started)
				if err == nil {
					_, err = io.Copy(io.Discard, r.Body)
				}
				broken <- err
			})
			c := n.dialResetting(t)
			io.WriteString(c, "POST /build HTTP/1.1\r\nHost: d\r\n"+framing+"\r\n\r\n5\r\nhello\r\n")
			<-started
			c.Close()
			if err := <-broken; err == nil {
				t.Error("the engine saw a whole body")
			}
			if err := <-ended; err == nil {
				t.Error("the exchange went on without its client")
			}
		})
	}
}

// TestNetstackResetTunnel: a reset closes the engine's connection at once, with
// no further byte from either side.
func TestNetstackResetTunnel(t *testing.T) {
	n := netstack(t)
	ended := serveTunnels(t, n.net)
	c := n.dialResetting(t)
	engine := switchProtocols(t, n.net, c)
	c.Close()
	if _, err := io.Copy(io.Discard, engine); err != nil {
		t.Errorf("engine read: %v", err)
	}
	wait(t, ended)
}

// TestNetstackSlowReader: a client that does not read stops the engine; nothing
// piles up between them and nothing is lost.
func TestNetstackSlowReader(t *testing.T) {
	const size = 64 << 20
	n := netstack(t)
	serveTunnels(t, n.net)
	c, err := n.net.dialProxy()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	engine := switchProtocols(t, n.net, c)
	block := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	sent := 0
	for engine.SetWriteDeadline(time.Now().Add(time.Second)) == nil {
		m, err := engine.Write(block)
		sent += m
		if err != nil {
			break
		}
		if sent > size {
			t.Fatalf("%d bytes went nowhere", sent)
		}
	}
	engine.Close()
	got, err := io.Copy(io.Discard, c)
	if err != nil || got != int64(sent) {
		t.Errorf("got %d bytes and %v, want %d", got, err, sent)
	}
}

// TestNetstackSilentStream: the head of a stream arrives before its first byte,
// each piece before the next, and silence ends nothing.
func TestNetstackSilentStream(t *testing.T) {
	n := netstack(t)
	forward(t, n.net)
	piece := make(chan string)
	serveHTTP(t, n.net.engine, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.(http.Flusher).Flush()
		for p := range piece {
			io.WriteString(w, p)
			w.(http.Flusher).Flush()
		}
	})
	tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return n.net.dialProxy() }}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("http://docker/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, p := range []string{"{}", strings.Repeat("x", ioBuffer), "{}"} {
		time.Sleep(50 * time.Millisecond)
		piece <- p
		got := make([]byte, len(p))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != p {
			t.Fatalf("got %d bytes and %v, want %d", len(got), err, len(p))
		}
	}
	close(piece)
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

// TestNetstackCutStream: a response that the engine cuts is cut for the client.
func TestNetstackCutStream(t *testing.T) {
	for _, framing := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
		t.Run(framing, func(t *testing.T) {
			n := netstack(t)
			forward(t, n.net)
			go func() {
				c, err := n.net.engine.Accept()
				if err != nil {
					return
				}
				http.ReadRequest(bufio.NewReader(c))
				io.WriteString(c, "HTTP/1.1 200 OK\r\n"+framing+"\r\n\r\n5\r\nhello\r\n")
				c.Close()
			}()
			c, err := n.net.dialProxy()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, "GET /x HTTP/1.1\r\nHost: d\r\n\r\n")
			resp := readResponse(t, c)
			if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("body ended with %v, want %v", err, io.ErrUnexpectedEOF)
			}
		})
	}
}
