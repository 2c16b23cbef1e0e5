package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sockguard/policy"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
	"sockguard/rewrite/load"
)

const (
	// engineHost is the Host of requests to the engine, which ignores it.
	engineHost = "docker"

	// maxJSONBody is the ceiling of JSON request bodies.
	maxJSONBody = 4 << 20

	// inquiryTime bounds the look-ups of a decision whose client has closed its
	// writing side and cannot be seen to leave.
	inquiryTime = 30 * time.Second
)

// onRequest decides a request. It returns the request for the engine, or the
// answer for the client.
func (g *Guard) onRequest(r *http.Request) (*http.Request, *http.Response) {
	x := exchangeOf(r)
	if x.request.Route.Verdict == policy.Local {
		return r, g.logged(r, x, emptyResponse(r))
	}
	out, err := g.decide(r, x)
	if err != nil {
		x.refused = true
		return r, g.denial(r, x, err)
	}
	if x.answered() {
		return r, x.lookUp.answer(r)
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
	info, err := g.engine.info(r.Context())
	if err != nil {
		return nil, err
	}
	if x.request.Version == (policy.Version{}) {
		x.request.Version = info.api
	}
	if x.request.Route.Body == policy.JSONBody {
		if x.request.Body, err = readJSON(r); err != nil {
			return nil, err
		}
	}
	if x.decision, err = g.Policy.Decide(r.Context(), x.request, info.release, g.engine); err != nil {
		return nil, err
	}
	g.watch(r, x)
	if x.answered() {
		return r, nil
	}
	for _, call := range x.decision.Before {
		if err := g.engine.call(r.Context(), call); err != nil {
			return nil, err
		}
	}
	if x.decision.Remote != nil {
		if r, err = g.remotes.fetch(r, x.decision); err != nil {
			return nil, err
		}
	}
	return g.outgoing(r, x), nil
}

// outgoing builds the request for the engine from what was decided. Nothing of
// the client's request goes along but the headers in forwarded.
func (g *Guard) outgoing(r *http.Request, x *exchange) *http.Request {
	d, route := x.decision, x.request.Route
	out := (&http.Request{
		Method: r.Method,
		URL: &url.URL{
			Scheme:   "http",
			Host:     engineHost,
			Path:     "/v" + x.request.Version.String() + route.Path(d.Name),
			RawQuery: d.Query.Encode(),
		},
		Host:       engineHost,
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
		upload(out, r, x, func(dst io.Writer, src io.Reader) error {
			s, err := buildcontext.Rewrite(dst, src, *d.Context)
			x.scanned <- s
			return err
		})
	case d.Load != nil:
		upload(out, r, x, func(dst io.Writer, src io.Reader) error {
			return load.Rewrite(dst, src, *d.Load)
		})
	case d.Stream:
		out.Header.Set("Content-Type", "application/x-tar")
		out.ContentLength = r.ContentLength
		out.Body = r.Body
	case d.Body != nil:
		out.Header.Set("Content-Type", "application/json")
		setBody(out, d.Body)
	}
	return out
}

// setBody gives a request a body that never blocks.
func setBody(r *http.Request, body []byte) {
	r.ContentLength = int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody() // which has no error
}

// upload has the client's archive rewritten while it is sent.
func upload(out, r *http.Request, x *exchange, archive func(dst io.Writer, src io.Reader) error) {
	x.upload = rewrite.NewBody(r.Body, archive)
	out.Header.Set("Content-Type", "application/x-tar")
	out.ContentLength = -1
	out.Body = x.upload
}

// forwardedHeaders copies the headers that mean something to an engine. The
// others, and all hop-by-hop ones, stay behind.
func forwardedHeaders(in http.Header) http.Header {
	out := make(http.Header, 4)
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

// readJSON reads the body of a JSON route, nil when there is none.
func readJSON(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxJSONBody+1))
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	if len(body) > maxJSONBody {
		return nil, &policy.Denied{
			Status: http.StatusRequestEntityTooLarge, Rule: "size",
			Message: fmt.Sprintf("JSON body of more than %d MiB: no request of a client needs that; send less", maxJSONBody>>20),
		}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		r.Body, r.ContentLength = http.NoBody, 0 // also for a policy that only watches
		return nil, nil
	}
	return body, nil
}

// upgrade decides a request on a route that may switch protocols, and joins
// client and engine when the engine does.
//
// A client may close its writing side with the request: it has nothing to say
// to standard input. That ends the request's context, so the decision takes a
// time of its own.
func (g *Guard) upgrade(w http.ResponseWriter, r *http.Request, x *exchange) {
	inquiry, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), inquiryTime)
	defer cancel()
	out, err := g.decide(r.WithContext(inquiry), x)
	if err == nil && x.request.Route.Body == policy.NoBody && r.ContentLength != 0 {
		err = &policy.Denied{
			Status: http.StatusBadRequest, Rule: "body",
			Message: "a body on a request that takes over the connection: it would be mistaken for the stream; send it without one",
		}
	}
	if err != nil {
		g.refuse(w, r, x, err)
		return
	}
	out = out.WithContext(r.Context())
	if token := r.Header.Get("Upgrade"); token != "" {
		out.Header.Set("Connection", "Upgrade")
		out.Header.Set("Upgrade", token)
		for _, name := range []string{"Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Protocol", "Sec-Websocket-Extensions", "Origin"} {
			if v := r.Header.Get(name); v != "" {
				out.Header.Set(name, v)
			}
		}
	}
	g.log(r, x, http.StatusSwitchingProtocols, nil)
	if err := tunnel(w, out, g.Upstream.Dial); err != nil && !errors.Is(err, http.ErrAbortHandler) {
		g.refuse(w, r, x, err)
	}
}
