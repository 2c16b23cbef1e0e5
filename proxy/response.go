package proxy

import (
	"io"
	"net/http"

	"sockguard/policy"
	"sockguard/rewrite"
)

// onResponse finishes an exchange: an error becomes an answer, an answer is
// filtered, a refusal of the upload replaces whatever the engine made of it.
func (g *Guard) onResponse(r *http.Request, resp *http.Response, err error) *http.Response {
	x := exchangeOf(r)
	if x.decision == nil { // answered without the engine
		return resp
	}
	if resp == nil {
		x.refused = true
		return g.denial(r, x, g.whyFailed(x, err))
	}
	if x.request.Route.Pattern == "/_ping" {
		// Clients that can choose take the builder that is open here.
		resp.Header.Set("Builder-Version", "1")
	}
	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	if resp.StatusCode == http.StatusConflict {
		return g.logged(r, x, g.scrub(r, resp))
	}
	if ok && x.decision.Verify != nil {
		if err := verify(resp, x.decision.Verify); err != nil {
			return g.denial(r, x, err)
		}
	}
	if ok {
		for _, call := range x.decision.After {
			if err := g.engine.call(r.Context(), call); err != nil {
				resp.Body.Close()
				return g.denial(r, x, err)
			}
		}
	}
	switch {
	case x.upload != nil:
		resp.Body = &buildAnswer{ReadCloser: resp.Body, upload: x.upload}
	case ok && x.decision.Response != nil && r.Method != http.MethodHead:
		x.answer = rewrite.NewBody(resp.Body, x.decision.Response)
		resp.Body = x.answer
		resp.ContentLength = -1
	}
	return g.logged(r, x, resp)
}

// whyFailed prefers the refusal of an upload to what it did to the connection.
func (g *Guard) whyFailed(x *exchange, err error) error {
	if x.upload != nil {
		if refusal := x.upload.Refusal(); refusal != nil {
			return refused(refusal)
		}
	}
	return err
}

func refused(r *rewrite.Refusal) error {
	return &policy.Denied{Status: http.StatusBadRequest, Rule: "context", Message: r.Error()}
}

// A buildAnswer is the engine's answer to a build. When the upload is refused
// half way, the engine reports a broken stream; the client is told why instead,
// in the shape in which the engine reports errors of a build.
type buildAnswer struct {
	io.ReadCloser
	upload *rewrite.Body
	last   *errorBody
}

func (b *buildAnswer) Read(p []byte) (int, error) {
	if b.last == nil {
		n, err := b.ReadCloser.Read(p)
		refusal := b.upload.Refusal()
		if err == nil || refusal == nil {
			return n, err
		}
		b.last = newErrorBody(buildError(refused(refusal)))
		if n > 0 {
			return n, nil
		}
	}
	return b.last.Read(p)
}
