package proxy

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"time"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/progress"
	"sockguard/rewrite"
)

// hopByHop are the headers of an answer that are about the engine's connection.
var hopByHop = []string{"Connection", "Upgrade", "Keep-Alive", "Transfer-Encoding"}

// onResponse returns the engine's answer as the client may see it. If the upload was
// refused while it was sent, the answer ends with the refusal.
func (g *Guard) onResponse(r *http.Request, resp *http.Response) *http.Response {
	x := exchangeOf(r)
	if x.decision == nil || x.refused { // sockguard answers by itself, and has logged it
		return resp
	}
	x.release()
	for _, k := range hopByHop {
		delete(resp.Header, k)
	}
	if b := x.decision.Builder; b != "" {
		resp.Header.Set("Builder-Version", b)
	}
	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	if resp.StatusCode >= 400 && r.Method != http.MethodHead {
		g.scrub(r, resp)
	}
	if ok {
		if err := g.follow(r, x, resp); err != nil {
			resp.Body.Close()
			return g.denial(r, x, err)
		}
	}
	x.checked(ok)
	x.writer.finite = x.decision.Finite
	if x.pulled != nil || ok && x.decision.Names != nil && x.decision.Tag == nil {
		if err := g.name(r, x, resp); err != nil {
			return g.denial(r, x, err)
		}
	}
	switch {
	case x.upload != nil:
		deny := func(refusal error) []byte { return g.lateDenial(r, x, refusal) }
		if x.decision.Context != nil {
			steps := progress.Steps{
				Scanned: x.scanned, Gone: r.Context().Done(),
				File: cmp.Or(x.decision.Context.Dockerfile, "Dockerfile"), LabelStep: x.decision.LabelStep,
			}
			progress.Edit(resp, steps.Show, nil)
		}
		resp.Body = &uploadAnswer{ReadCloser: resp.Body, upload: x.upload, deny: deny}
	case ok && x.decision.Response != nil && r.Method != http.MethodHead:
		x.answer = rewrite.NewBody(x.share.Answer(r.Context(), resp.Body), x.decision.Response)
		resp.Body = x.answer
		resp.ContentLength = -1
	}
	return g.logged(r, x, resp)
}

// failure returns the answer to a request that the engine does not answer.
func (g *Guard) failure(r *http.Request, err error) *http.Response {
	x := exchangeOf(r)
	x.refused = true
	if d := x.decision; d.Release != nil && r.Context().Err() != nil {
		time.AfterFunc(unanswered, d.Release)
		d.Release = nil
	}
	return g.denial(r, x, g.whyFailed(x, err))
}

// whyFailed returns why an exchange failed: the refusal of its upload, or else err.
// A refused upload also breaks the connection, so err alone would mislead.
func (g *Guard) whyFailed(x *exchange, err error) error {
	if x.upload != nil {
		if refusal := refusalOf(x.upload); refusal != nil {
			return refusal
		}
	}
	return err
}

// refusalOf returns why an upload was refused while it was rewritten, or nil.
func refusalOf(upload *rewrite.Body) error {
	err := upload.Err()
	if _, ok := errors.AsType[*verdict.Denied](err); ok {
		return err
	}
	if _, ok := errors.AsType[*engine.Error](err); ok {
		return err // of an image that the build needs
	}
	if r := upload.Refusal(); r != nil {
		return refused(r)
	}
	return nil
}

func refused(r *rewrite.Refusal) error {
	return &verdict.Denied{Status: http.StatusBadRequest, Rule: "context", Message: r.Error()}
}

// An uploadAnswer is the engine's answer to a build or an image load. When an upload
// is refused half way, the engine sees a broken stream. The answer then ends with the
// refusal, in the shape of the engine's own errors.
type uploadAnswer struct {
	io.ReadCloser
	upload *rewrite.Body
	deny   func(refusal error) []byte // logs a refusal and returns the last message
	last   *errorBody
}

func (a *uploadAnswer) Read(p []byte) (int, error) {
	if a.last == nil {
		n, err := a.ReadCloser.Read(p)
		if err == nil {
			return n, nil
		}
		refusal := refusalOf(a.upload)
		if refusal == nil {
			return n, err
		}
		a.last = newErrorBody(a.deny(refusal))
		if n > 0 {
			return n, nil
		}
	}
	return a.last.Read(p)
}
