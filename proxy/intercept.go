package proxy

import (
	"net/http"

	"github.com/elazarl/goproxy"

	"sockguard/proxy/engine"
)

// newInterceptor sets goproxy up for an engine. Its defaults are made for web
// traffic: a transport that reads HTTP_PROXY and skips TLS verification, a
// log of its own, headers taken away; all of that is replaced here.
func (g *Guard) newInterceptor() *goproxy.ProxyHttpServer {
	upstream := goproxy.RoundTripperFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Response, error) {
		return g.engine.RoundTrip(r)
	})
	p := goproxy.NewProxyHttpServer()
	p.Tr = nil // every request brings its round-tripper along
	p.ConnectDial = nil
	p.KeepHeader = true         // requests are rebuilt, there is nothing to take away
	p.KeepAcceptEncoding = true // archives may be compressed between engine and client
	p.Logger = discard{}
	p.OnRequest().DoFunc(func(r *http.Request, ctx *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		ctx.RoundTripper = upstream
		return g.onRequest(r)
	})
	p.OnResponse().DoFunc(func(resp *http.Response, ctx *goproxy.ProxyCtx) *http.Response {
		return g.onResponse(ctx.Req, resp, ctx.Error)
	})
	return p
}

// intercept hands a request to goproxy. CONNECT, which goproxy would tunnel,
// has no route and never comes here; requests on a socket have no absolute URL,
// without which goproxy does not take them.
func intercept(p *goproxy.ProxyHttpServer, w http.ResponseWriter, r *http.Request) {
	r.URL.Scheme, r.URL.Host = "http", engine.Host
	p.ServeHTTP(w, r)
}

// discard is goproxy's logger: decisions are logged once, elsewhere.
type discard struct{}

func (discard) Printf(string, ...any) {}
