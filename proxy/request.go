package proxy

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/listen"
	"sockguard/proxy/upstream"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
	"sockguard/rewrite/load"
)

// onRequest decides a request. It returns the request for the engine, or the
// answer for the client.
func (g *Guard) onRequest(r *http.Request) (*http.Request, *http.Response) {
	x := exchangeOf(r)
	if x.request.Route.Verdict == verdict.Local {
		return r, g.logged(r, x, emptyResponse(r))
	}
	out, err := g.decide(r, x)
	if err != nil {
		x.refused = true
		return r, g.denial(r, x, err)
	}
	switch {
	case x.answered():
		return r, inspectionResponse(r, x.caller.Inspection)
	case x.decision.Tag != nil:
		return r, g.tag(r, x)
	}
	return out, nil
}

// decide checks a request and builds the one for the engine.
func (g *Guard) decide(r *http.Request, x *exchange) (*http.Request, error) {
	out, err := g.judge(r, x)
	if x.excused != nil || err != nil && g.excuse(r, x, err) {
		return unchecked(r, x), nil
	}
	return out, err
}

func (g *Guard) judge(r *http.Request, x *exchange) (*http.Request, error) {
	if x.excused != nil {
		return nil, x.excused
	}
	if err := listen.CheckPage(r, g.Policy.Hosts); err != nil {
		return nil, err
	}
	info, err := g.engine.Info(r.Context())
	if err != nil {
		return nil, err
	}
	if x.request.Version == (verdict.Version{}) {
		x.request.Version = info.API
	}
	if x.request.Route.Body == verdict.JSONBody {
		if x.request.Body, err = x.share.JSON(r); err == nil && x.request.Body != nil {
			err = checkJSON(r)
		}
		if err != nil {
			return nil, err
		}
	}
	x.mayBeAnswered(r)
	if x.request.Route.Body != verdict.BuildBody { // a build names many registries
		x.caller.Login = r.Header.Get("X-Registry-Auth")
	}
	if x.decision, err = g.Policy.Decide(r.Context(), x.request, info.Release, g.engine); err != nil {
		return nil, err
	}
	g.excuseUpload(r, x)
	if x.answered() {
		return r, nil
	}
	for _, call := range x.decision.Before {
		if err := g.engine.Call(r.Context(), call); err != nil {
			return nil, err
		}
	}
	if x.decision.Pull != nil {
		if x.pulled, err = x.decision.Pull(); err != nil {
			return nil, err
		}
	}
	if x.decision.Remote != nil {
		if r, err = g.fetcher.Fetch(r, x.decision); err != nil {
			return nil, err
		}
	}
	return g.outgoing(r, x), nil
}

// outgoing builds the request for the engine from what was decided. It copies
// nothing of the client's request but some headers ([forwardedHeaders]).
func (g *Guard) outgoing(r *http.Request, x *exchange) *http.Request {
	d, route := x.decision, x.request.Route
	out := (&http.Request{
		Method: r.Method,
		URL: &url.URL{
			Scheme:   "http",
			Host:     upstream.Host,
			Path:     "/v" + x.request.Version.String() + route.Path(d.Name),
			RawQuery: d.Query.Encode(),
		},
		Host:       upstream.Host,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     forwardedHeaders(r.Header),
		Body:       http.NoBody,
	}).WithContext(r.Context())
	if d.Response != nil {
		// The filter reads plain JSON values, one after the other.
		out.Header.Del("Accept")
		out.Header.Del("Accept-Encoding")
	}
	switch {
	case d.Context != nil:
		x.scanned = make(chan *dockerfile.Scanned, 1)
		d.Context.Reserve = x.reserve
		upload(out, r, x, func(dst io.Writer, src io.Reader) error {
			defer close(x.scanned) // after a panic too
			s, err := buildcontext.Rewrite(dst, src, *d.Context)
			if s != nil {
				s.Text = nil // a build may take hours
			}
			x.scanned <- s
			return err
		})
	case d.Load != nil:
		d.Load.Reserve = x.reserve
		upload(out, r, x, func(dst io.Writer, src io.Reader) error {
			return load.Rewrite(dst, src, *d.Load)
		})
	case d.Stream:
		out.Header.Set("Content-Type", "application/x-tar")
		out.ContentLength = r.ContentLength
		out.Body = r.Body
	case d.Body != nil:
		out.Header.Set("Content-Type", "application/json")
		engine.SetBody(out, d.Body)
	}
	return out
}

// upload makes the rewritten archive of the client the body of out.
func upload(out, r *http.Request, x *exchange, archive func(dst io.Writer, src io.Reader) error) {
	x.upload = rewrite.NewBody(r.Body, func(dst io.Writer, src io.Reader) error {
		defer x.share.Uploaded()
		return archive(dst, src)
	})
	out.Header.Set("Content-Type", "application/x-tar")
	out.ContentLength = -1
	out.Body = x.upload
}

// forwardedHeaders copies the headers that mean something to an engine. All others
// are dropped, hop-by-hop headers among them.
func forwardedHeaders(in http.Header) http.Header {
	out := http.Header{"User-Agent": {""}} // keeps net/http from adding its own
	for name, values := range in {
		switch name {
		case "Accept", "Accept-Encoding", "User-Agent", "X-Registry-Auth", "X-Registry-Config", "Traceparent", "Tracestate":
			out[name] = values[:1]
		default:
			if strings.HasPrefix(name, "X-Meta-") {
				out[name] = values
			}
		}
	}
	return out
}

// checkJSON demands the Content-Type of a JSON body, as engines do. A web page can send
// other types without being asked first.
func checkJSON(r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return verdict.Bad("content-type", "Content-Type %s of a JSON body: engines refuse it; send application/json", verdict.Quoted(r.Header.Get("Content-Type")))
	}
	return nil
}
