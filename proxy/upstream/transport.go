package upstream

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

// A Transport sends requests to an engine. It is safe for concurrent use.
type Transport struct {
	dial   func(context.Context) (net.Conn, error)
	shared *http.Transport // of all requests but uploads
}

var _ http.RoundTripper = (*Transport)(nil)

// NewTransport returns a transport to the engine that dial connects to. TLS, if any,
// is part of dialling, so all URLs are of scheme http. There is no proxy.
func NewTransport(dial func(context.Context) (net.Conn, error)) *Transport {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &Transport{dial: dial, shared: &http.Transport{
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
	}}
}

// Dial opens a connection of its own to the engine, for a tunnel.
func (t *Transport) Dial(ctx context.Context) (net.Conn, error) { return t.dial(ctx) }

// RoundTrip sends a request and returns its answer. A request with a streamed body
// (without GetBody) gets a connection of its own, the others share connections.
//
// When the engine has closed an idle connection, as it does when it restarts, a
// request that cannot have had an effect is sent again.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return t.upload(r)
	}
	resp, err := t.shared.RoundTrip(r)
	if err == nil && resp.StatusCode < 200 {
		resp.Body.Close()
		return nil, unexpectedStatus(resp)
	}
	return resp, err
}

// Close closes the idle connections.
func (t *Transport) Close() { t.shared.CloseIdleConnections() }
