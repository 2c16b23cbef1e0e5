package proxy

import (
	"context"
	"net/http"

	"sockguard/proxy/upstream"

	"github.com/elazarl/goproxy"
)

// newInterceptor returns a goproxy server for an engine. It replaces the defaults of
// goproxy, which are for web traffic: a transport that reads HTTP_PROXY and does not
// verify TLS, a log of its own, and the removal of headers.
func (g *Guard) newInterceptor() *goproxy.ProxyHttpServer {
	upstream := goproxy.RoundTripperFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Response, error) {
		x := exchangeOf(r)
		if d := x.decision; d != nil && d.Verify != nil {
			// What is made without its client is checked all the same.
			r = r.WithContext(context.WithoutCancel(r.Context()))
			if d.Undo != nil {
				x.made = g.engine.Making(r.Context())
			}
		}
		resp, err := g.engine.RoundTrip(r)
		if err != nil {
			// An answer of the round-tripper's own keeps its length in goproxy.
			return g.failure(r, err), nil
		}
		return resp, nil
	})
	p := goproxy.NewProxyHttpServer()
	p.Tr = nil // each request has its round-tripper
	p.ConnectDial = nil
	p.KeepHeader = true         // requests are rebuilt, there is nothing to remove
	p.KeepAcceptEncoding = true // archives may be compressed between engine and client
	p.Logger = discard{}
	p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		ctx.RoundTripper = upstream
		return g.onRequest(r)
	})
	p.OnResponse().DoFunc(func(resp *http.Response, ctx *goproxy.ProxyCtx) *http.Response {
		return g.onResponse(ctx.Req, resp)
	})
	return p
}

// intercept hands a request to goproxy, which wants an absolute URL. CONNECT, which
// goproxy would tunnel, has no route and does not get here.
func intercept(p *goproxy.ProxyHttpServer, w http.ResponseWriter, r *http.Request) {
	r.URL.Scheme, r.URL.Host = "http", upstream.Host
	p.ServeHTTP(w, r)
}

// discard is goproxy's logger. Decisions are logged by the guard.
type discard struct{}

func (discard) Printf(string, ...any) {}
