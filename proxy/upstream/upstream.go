// Package upstream connects to a Docker Engine: it dials the engine's address, over TLS
// if that is configured, and sends requests.
//
// An [Upstream] is an address. A [Transport] sends requests there: those with a streamed
// body over a connection of their own, the others with an [net/http.Transport].
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sockguard/proxy/listen"
)

// Host is the Host of requests to the engine, which ignores it.
const Host = "docker"

const (
	// dialTimeout bounds one connection attempt, TLS handshake included. It
	// allows for a few lost SYNs over TCP.
	dialTimeout = 10 * time.Second

	// dialPatience is how long a unix socket may be missing or refuse while its
	// engine restarts. Nothing has been sent yet, so waiting is safe.
	dialPatience = 2 * time.Second

	// dialPause is the pause between two attempts while an engine restarts.
	dialPause = 50 * time.Millisecond
)

// An Upstream is the address of an engine.
type Upstream struct {
	network string // "unix" or "tcp"
	address string // path or host:port
	tls     *tls.Config
}

// New returns the engine at host, written as in DOCKER_HOST:
// unix:///path or tcp://host:port. TLS is for TCP only, as in the docker CLI: a
// socket is guarded by its file permissions.
func New(host string, t TLSFiles) (*Upstream, error) {
	scheme, rest, _ := strings.Cut(host, "://")
	switch scheme {
	case "unix":
		if !strings.HasPrefix(rest, "/") {
			return nil, fmt.Errorf("engine address %s: write the absolute path, as in unix:///var/run/docker.sock", host)
		}
		if len(rest) > listen.MaxPath {
			return nil, fmt.Errorf("engine address %s: the path has %d bytes, a unix socket allows %d", host, len(rest), listen.MaxPath)
		}
		return &Upstream{network: "unix", address: rest}, nil
	case "tcp":
		return newTCPUpstream(rest, t)
	case "http", "https":
		return nil, fmt.Errorf("engine address %s: write tcp://host:port; DOCKER_TLS_VERIFY turns TLS on", host)
	case "npipe", "ssh", "fd":
		return nil, fmt.Errorf("engine address %s: %s:// is not supported; use unix:///path or tcp://host:port", host, scheme)
	}
	return nil, fmt.Errorf("engine address %q: use unix:///path or tcp://host:port", host)
}

func newTCPUpstream(hostport string, t TLSFiles) (*Upstream, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || host == "" || port == "" || strings.Contains(port, "/") {
		return nil, fmt.Errorf("engine address tcp://%s: name host and port, and no path, as in tcp://engine:2376", hostport)
	}
	config, err := t.config(host)
	if err != nil {
		return nil, fmt.Errorf("engine address tcp://%s: %w", hostport, err)
	}
	return &Upstream{network: "tcp", address: hostport, tls: config}, nil
}

// String returns the address as in DOCKER_HOST.
func (u *Upstream) String() string { return u.network + "://" + u.address }

// Dial opens a connection, with TLS if it is configured. It waits dialPatience for
// the socket of an engine that restarts. Its errors say what to do.
func (u *Upstream) Dial(ctx context.Context) (net.Conn, error) {
	giveUp := time.Now().Add(dialPatience)
	for {
		c, err := u.dialOnce(ctx)
		if err == nil {
			return c, nil
		}
		if !u.restarting(err) || time.Now().After(giveUp) {
			return nil, u.explain(err)
		}
		select {
		case <-ctx.Done():
			return nil, u.explain(err)
		case <-time.After(dialPause):
		}
	}
}

func (u *Upstream) dialOnce(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, u.network, u.address)
	if err != nil || u.tls == nil {
		return c, err
	}
	tc := tls.Client(c, u.tls)
	if err := tc.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return tc, nil
}

// restarting reports whether err may come from an engine that restarts, or whose
// queue of connections is full: dialling a unix socket does not wait for the queue.
func (u *Upstream) restarting(err error) bool {
	return u.network == "unix" &&
		(errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EAGAIN))
}

// explain adds what a person can do about an error of Dial.
func (u *Upstream) explain(err error) error {
	if u.network == "unix" {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return explainDenied(u.address, err)
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("engine socket %s does not exist; is the engine running? %w", u.address, err)
		case errors.Is(err, unix.ECONNREFUSED):
			return fmt.Errorf("nobody answers on engine socket %s; is the engine running? %w", u.address, err)
		case errors.Is(err, unix.EAGAIN):
			return fmt.Errorf("the queue of engine socket %s is full; is the engine hanging? %w", u.address, err)
		}
	}
	return fmt.Errorf("engine %s: %w", u, err)
}
