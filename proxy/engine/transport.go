package engine

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"sockguard/proxy/internal/crash"
)

const (
	// idleConns is how many idle connections to the engine are kept: enough for
	// the jobs of one host, few enough to leave the descriptors to streams.
	idleConns = 256

	// idleConnTimeout is how long an idle connection to the engine is kept.
	idleConnTimeout = 90 * time.Second

	// maxHead is the ceiling of the head of an answer, as it is of requests in
	// [http.Server].
	maxHead = 1 << 20
)

// unexpectedStatus returns the error for an answer that switches protocols unasked,
// or whose status is less than 100.
func unexpectedStatus(resp *http.Response) error {
	return fmt.Errorf("the engine answers with status %q", resp.Status)
}

// newTransport returns the transport of all requests but uploads. TLS, if any,
// is part of dialling, so all URLs are of scheme http. There is no proxy.
func newTransport(dial func(context.Context) (net.Conn, error)) *http.Transport {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
			defer crash.Error(&err) // the transport dials in a goroutine of its own
			return dial(ctx)
		},
		Protocols:              &http1,
		DisableCompression:     true,
		MaxIdleConns:           idleConns,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: maxHead,
	}
}

// RoundTrip sends a request and returns its answer. A request with a streamed body
// (without GetBody) gets a connection of its own, the others share connections.
//
// When the engine has closed an idle connection, as it does when it restarts, a
// request that cannot have had an effect is sent again.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return c.upload(r)
	}
	resp, err := c.transport.RoundTrip(r)
	if err == nil && resp.StatusCode < 200 {
		resp.Body.Close()
		return nil, unexpectedStatus(resp)
	}
	return resp, err
}

// Close closes the idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
