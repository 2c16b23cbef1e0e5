// Package proxy guards Docker Engine sockets.
//
// A [Guard] takes one request at a time: the policy decides it, a request for the
// engine is built from what was decided, and the engine's answer is filtered. It
// works between [net/http.Server] and the engine's client, as a pair of handlers
// of goproxy; requests that take over their connection go to a tunnel instead.
//
// A [Socket] is one guarded socket, whose guard may be replaced while it serves.
//
//	u, err := upstream.New("unix:///var/run/docker.sock", upstream.TLSFiles{})
//	ln, err := listen.Listen("unix:///run/team-a.sock", listen.Options{UID: -1, GID: -1})
//	guard := proxy.NewGuard(&verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey}, u, slog.Default())
//	err = proxy.NewSocket(guard).Serve(ctx, ln)
package proxy

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/elazarl/goproxy"

	"sockguard/policy"
	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/fetch"
	"sockguard/proxy/intake"
	"sockguard/proxy/upstream"
	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
)

// drainTime is how long the rest of a refused upload is read and dropped, so that a
// client that is still sending reads the refusal.
const drainTime = 10 * time.Second

// A Guard decides requests by a policy, rewrites them, and forwards them to one
// engine. It does not change; a [Socket] may change its guard.
type Guard struct {
	Policy   *verdict.Policy
	Upstream *upstream.Upstream
	Log      *slog.Logger // one line per decision

	engine      *engine.Client
	fetcher     *fetch.Fetcher
	interceptor *goproxy.ProxyHttpServer
}

var _ http.Handler = (*Guard)(nil)

// NewGuard returns a guard of the engine at u.
func NewGuard(p *verdict.Policy, u *upstream.Upstream, log *slog.Logger) *Guard {
	g := &Guard{Policy: p, Upstream: u, Log: log.With("owner", p.Owner), engine: engine.NewClient(u.Dial), fetcher: fetch.New(p)}
	g.interceptor = g.newInterceptor()
	return g
}

// An exchange is one request on its way through the guard. It is the context of
// that request, in which it is found.
type exchange struct {
	context.Context
	start    time.Time
	caller   engine.Caller // for the engine's client
	request  *verdict.Request
	decision *verdict.Decision
	upload   *rewrite.Body            // the build context or image archive, when one is rewritten
	pulled   *verdict.Pulled          // how a pull is changed
	scanned  chan *dockerfile.Scanned // gets the Dockerfile when the upload is done, nil if it fails
	share    *intake.Share            // of the memory for what clients send
	answer   *rewrite.Body            // the engine's answer, when it is filtered
	writer   *flushWriter             // of the answer, if goproxy carries the exchange
	made     func(accepted bool)      // ends the making of a container, nil if none is made
	refused  bool                     // sockguard has answered in place of the engine
	denied   bool                     // a denial was logged
	// excused is why an audit-only policy would have refused the request, which is
	// forwarded as it came.
	excused error
}

// unanswered is how long room stays reserved for what the engine may still be making
// when the client has left.
const unanswered = 30 * time.Second

// release gives back the room that the exchange has reserved, if any.
func (x *exchange) release() {
	if x.decision != nil && x.decision.Release != nil {
		x.decision.Release()
	}
}

// checked tells that what the exchange has made, if anything, was checked.
func (x *exchange) checked(accepted bool) {
	if x.made != nil {
		x.made(accepted)
	}
}

type exchangeKey struct{}

// Value returns the exchange itself, or a value of the client's connection.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// reserve takes memory for an upload.
func (x *exchange) reserve(n int) error { return x.share.Upload(x, n) }

func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

// ServeHTTP answers one request. A request without a route is refused. The others go
// to goproxy, or to a tunnel when the route may switch protocols.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, end := untilGone(r, g.Log)
	defer end()
	x := &exchange{
		start: time.Now(), share: intake.NewShare(g.Policy.Owner),
		caller: engine.Caller{Owner: g.Policy.Owner, Logins: r.Header.Get("X-Registry-Config")},
	}
	defer x.share.Release()
	x.caller.Memory = x.share
	x.Context = engine.WithCaller(ctx, &x.caller)
	defer x.release()
	err := x.share.Head(r)
	if err != nil {
		g.refuse(w, r, x, err)
		return
	}
	if x.request, err = policy.Parse(r.Method, r.URL); err != nil {
		if !g.excuse(r, x, err) {
			g.refuse(w, r, x, err)
			return
		}
		x.request = &verdict.Request{Route: &verdict.Route{Pattern: r.URL.Path, Hijack: r.Header.Get("Upgrade") != ""}}
	}
	r = r.WithContext(x)
	if x.request.Route.Hijack {
		g.upgrade(w, r, x)
		return
	}
	if r.ContentLength != 0 {
		// Engine 29 answers a build while it reads it, and so must the guard.
		http.NewResponseController(w).EnableFullDuplex()
		r.Body = io.NopCloser(r.Body) // a closed body could not be drained
		if kind := x.request.Route.Body; kind == verdict.TarBody || kind == verdict.BuildBody {
			defer readAhead(r)()
		}
	}
	f := newFlushWriter(w)
	x.writer = f
	defer x.checked(false)
	defer g.unload(r, x)
	intercept(g.interceptor, f, r)
	if x.refused {
		drain(w, r)
	}
	g.logCut(r, x)
	if f.copyErr() != nil || x.answer != nil && x.answer.Err() != nil {
		stopReading(w, r)
		panic(http.ErrAbortHandler) // a response that was cut must not look whole
	}
}

// stopReading ends an upload that may still run. Otherwise the server would wait for
// more of it before it closes the connection.
func stopReading(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	r.Body.Read(make([]byte, 1)) // waits until the upload has seen the deadline
}

// refuse answers a request that is not forwarded.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, x *exchange, err error) {
	resp := g.denial(r, x, err)
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	http.NewResponseController(w).EnableFullDuplex()
	w.WriteHeader(resp.StatusCode)
	if r.Method != http.MethodHead {
		resp.Body.(*errorBody).WriteTo(w)
	}
	drain(w, r)
}

// drain sends the answer, and reads the rest of the upload. Otherwise the client may
// see its connection break before it sees the answer. If the upload does not end
// well, drain aborts the connection: the rest of a body is not the next request.
func drain(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	c := http.NewResponseController(w)
	c.Flush()
	c.SetReadDeadline(time.Now().Add(drainTime))
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for {
		switch _, err := r.Body.Read(*buf); err {
		case nil:
		case io.EOF:
			return
		default:
			panic(http.ErrAbortHandler)
		}
	}
}
