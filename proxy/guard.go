package proxy

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/elazarl/goproxy"

	"sockguard/policy"
	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
)

// drainTime is how long a refused upload is read and thrown away, so that its
// client, still sending, comes to read the refusal.
const drainTime = 10 * time.Second

// A Guard decides by a policy, rewrites, and forwards to one engine. It does
// not change; a [Socket] may change its guard.
type Guard struct {
	Policy   *policy.Policy
	Upstream *Upstream
	Log      *slog.Logger // one line per decision

	engine      *engine
	remotes     *remotes
	interceptor *goproxy.ProxyHttpServer
}

var _ http.Handler = (*Guard)(nil)

// NewGuard returns a guard of the engine at u.
func NewGuard(p *policy.Policy, u *Upstream, log *slog.Logger) *Guard {
	transport := u.Transport()
	g := &Guard{Policy: p, Upstream: u, Log: log.With("owner", p.Owner), engine: newEngine(transport), remotes: newRemotes(p)}
	g.interceptor = g.newInterceptor(transport)
	return g
}

// An exchange is one request on its way through the guard, and the context of
// that request, in which it is found.
type exchange struct {
	context.Context
	start    time.Time
	logins   string // the client's X-Registry-Config
	request  *policy.Request
	decision *policy.Decision
	lookUp   *lookUp                  // what the decision saw, when it may be the answer
	upload   *rewrite.Body            // the build context or image archive, when one is rewritten
	scanned  chan *dockerfile.Scanned // gets the Dockerfile, nil if it fails, when the upload is done
	answer   *rewrite.Body            // the engine's answer, when it is filtered
	out      *flushWriter             // to the client; nil for a tunnel
	refused  bool
	// excused is why the request would be refused if the policy did more than
	// watch; it goes upstream as it came.
	excused error
}

type exchangeKey struct{}

// Value returns the exchange itself, or a value of the client's connection.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

// ServeHTTP takes one request. Only what has a route goes on: to goproxy, or to
// a tunnel when the route may switch protocols.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Context: r.Context(), start: time.Now(), logins: r.Header.Get("X-Registry-Config")}
	var err error
	if x.request, err = policy.Parse(r.Method, r.URL); err != nil {
		if !g.excuse(r, x, err) {
			g.refuse(w, r, x, err)
			return
		}
		x.request = &policy.Request{Route: &policy.Route{Pattern: r.URL.Path, Hijack: r.Header.Get("Upgrade") != ""}}
	}
	if l, ok := r.Context().(*laneContext); ok {
		l.exchange = x
	} else {
		r = r.WithContext(x)
	}
	if x.request.Route.Hijack {
		g.upgrade(w, r, x)
		return
	}
	if r.ContentLength != 0 {
		// Engine 29 answers a build while it reads; so must the guard.
		http.NewResponseController(w).EnableFullDuplex()
	}
	f := newFlushWriter(w)
	x.out = f
	intercept(g.interceptor, f, r)
	if x.lookUp != nil {
		putAnswer(x.lookUp.text)
	}
	if x.refused {
		drain(w, r)
	}
	if f.copyErr() != nil || x.answer != nil && x.answer.Err() != nil {
		panic(http.ErrAbortHandler) // a response that was cut must not look whole
	}
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

// drain reads what is left of an upload. Without it the client may see its
// connection break before it sees the answer.
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
		if _, err := r.Body.Read(*buf); err != nil {
			return
		}
	}
}
