package proxy

import (
	"net/http"

	"sockguard/policy/verdict"
	"sockguard/proxy/naming"
)

// giver returns what gives the names of the request.
func (g *Guard) giver(r *http.Request, x *exchange) *naming.Giver {
	return &naming.Giver{
		Engine: g.engine, Names: x.decision.Names,
		Deny: func(err error) []byte { return g.lateDenial(r, x, err) },
	}
}

// tag gives the names of a request that asks for nothing else, and answers it.
func (g *Guard) tag(r *http.Request, x *exchange) *http.Response {
	id, err := x.decision.Tag()
	if err == nil {
		_, err = g.giver(r, x).Give(r.Context(), id)
	}
	if err != nil {
		x.refused = true
		return g.denial(r, x, err)
	}
	return response(r, http.StatusCreated, "", nil)
}

// name has the names of the request given to the image that the engine has made or
// pulled. Where the answer is a stream, this happens at its end.
func (g *Guard) name(r *http.Request, x *exchange, resp *http.Response) error {
	giver, d, ctx := g.giver(r, x), x.decision, r.Context()
	switch {
	case x.pulled != nil:
		giver.Pull(ctx, resp, x.pulled)
	case d.Load != nil:
		giver.Load(ctx, resp)
	case d.Context != nil:
		giver.Build(ctx, resp, verdict.IsTrue(d.Query.Get("q")), func() bool { return refusalOf(x.upload) != nil })
	case d.Stream:
		giver.Import(ctx, resp)
	default:
		text, err := short(resp)
		if err != nil {
			return err
		}
		return giver.Commit(ctx, text)
	}
	return nil
}

// unload removes what a load of images has left besides the images.
func (g *Guard) unload(r *http.Request, x *exchange) {
	if x.upload != nil && x.decision.Load != nil {
		g.giver(r, x).Unload(r.Context())
	}
}
