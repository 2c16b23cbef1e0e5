package proxy

import (
	"context"
	"net/http"

	"sockguard/policy/verdict"
	"sockguard/proxy/tunnel"
	"sockguard/rewrite"
)

// upgradeHeaders are the headers of a request that switches protocols.
var upgradeHeaders = []string{"Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Protocol", "Sec-Websocket-Extensions", "Origin"}

// upgrade decides a request on a route that may switch protocols, and joins client
// and engine when the engine does. Any other answer ends the client's connection:
// bytes that the client sent early must not become a request.
func (g *Guard) upgrade(w http.ResponseWriter, r *http.Request, x *exchange) {
	out, err := g.decide(r, x)
	if err == nil && x.request.Route.Body == verdict.NoBody && r.ContentLength != 0 {
		err = &verdict.Denied{
			Status: http.StatusBadRequest, Rule: "body",
			Message: "a body on a request that takes over the connection: it would be mistaken for the stream; send it without one",
		}
	}
	if err != nil {
		g.refuse(w, r, x, err)
		return
	}
	if token := r.Header.Get("Upgrade"); token != "" {
		out.Header.Set("Connection", "Upgrade")
		out.Header.Set("Upgrade", token)
		for _, name := range upgradeHeaders {
			if v := r.Header.Get(name); v != "" {
				out.Header.Set(name, v)
			}
		}
	}
	t, resp, err := tunnel.Open(out, g.engine.Dial)
	switch {
	case err != nil:
		g.refuse(w, r, x, err)
	case resp != nil:
		g.log(r, x, resp.StatusCode, nil)
		if resp.StatusCode >= 400 {
			g.scrub(r, resp)
		}
		passOn(w, resp)
	default:
		g.log(r, x, t.Status(), nil)
		if err := t.Hijack(w); err != nil {
			g.refuse(w, r, x, err)
			return
		}
		go g.join(t, lifetime(r.Context())) // the server's goroutine has large buffers
	}
}

// join joins the connections of a tunnel until it ends or life does.
func (g *Guard) join(t *tunnel.Tunnel, life context.Context) {
	if err := t.Join(life); err != nil {
		g.Log.Error("a tunnel was cut", "reason", rewrite.Clip(err.Error()))
	}
}

// lifetime returns the context of the socket that ctx belongs to.
func lifetime(ctx context.Context) context.Context {
	if c := connectionOf(ctx); c != nil {
		return c.life
	}
	return context.WithoutCancel(ctx)
}

// passOn answers with an ordinary response of the engine, the last one of the
// client's connection.
func passOn(w http.ResponseWriter, resp *http.Response) {
	defer resp.Body.Close()
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	for _, k := range hopByHop {
		w.Header().Del(k)
	}
	w.Header().Set("Connection", "close")
	f := newFlushWriter(w)
	f.WriteHeader(resp.StatusCode)
	if _, err := f.ReadFrom(resp.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}
