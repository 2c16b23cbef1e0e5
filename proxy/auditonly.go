package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"sockguard/policy/verdict"
	"sockguard/proxy/upstream"
	"sockguard/rewrite"
)

// excuse reports whether a refused request is sent all the same, because the policy
// is audit-only. Failures are not refusals and are not excused.
func (g *Guard) excuse(r *http.Request, x *exchange, err error) bool {
	_, verdict := errors.AsType[*verdict.Denied](err)
	if !g.Policy.AuditOnly || !verdict || r.Method == http.MethodConnect || r.URL.Path == "" {
		return false
	}
	x.excused = err
	return true
}

// excuseUpload makes an audit-only policy log the refusals of an upload, of its
// Dockerfile or of the name of an image, instead of stopping the upload.
func (g *Guard) excuseUpload(r *http.Request, x *exchange) {
	if !g.Policy.AuditOnly {
		return
	}
	note := func(excused error) {
		g.log(r, &exchange{start: x.start, request: x.request, excused: excused}, 0, nil)
	}
	if c := x.decision.Context; c != nil {
		c.Excuse = func(refusal *rewrite.Refusal) { note(refused(refusal)) }
	}
	excused := func(err error) error {
		if _, verdict := errors.AsType[*verdict.Denied](err); !verdict {
			return err
		}
		note(err)
		return nil
	}
	if l := x.decision.Load; l != nil {
		tag := l.Tag
		l.Tag = func(ref string) error { return excused(tag(ref)) }
	}
	if n := x.decision.Names; n != nil {
		may := n.May
		n.May = func(ref string, o verdict.Object) error { return excused(may(ref, o)) }
	}
}

// unchecked returns the request as the client sent it, for an audit-only policy. The
// part of the body that was already read comes first.
func unchecked(r *http.Request, x *exchange) *http.Request {
	x.decision = &verdict.Decision{}
	out := r.Clone(r.Context())
	out.RequestURI, out.Host = "", upstream.Host
	out.URL.Scheme, out.URL.Host = "http", upstream.Host
	for _, hop := range []string{"Connection", "Upgrade", "Expect", "Te", "Trailer", "Keep-Alive", "Proxy-Connection"} {
		out.Header.Del(hop)
	}
	if read := x.request.Body; read != nil {
		out.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(read), r.Body), r.Body}
	}
	return out
}
