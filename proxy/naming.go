package proxy

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/progress"
)

// tag gives the names of a request that asks for nothing else, and answers it.
func (g *Guard) tag(r *http.Request, x *exchange) *http.Response {
	id, err := x.decision.Tag()
	if err == nil {
		err = g.engine.Give(r.Context(), x.decision.Names, id, func(string) {})
	}
	if err != nil {
		x.refused = true
		return g.denial(r, x, err)
	}
	return response(r, http.StatusCreated, "", nil)
}

// name gives the names of the request to the image that the engine has made. Where
// the answer is a stream, this happens at its end.
func (g *Guard) name(r *http.Request, x *exchange, resp *http.Response) error {
	switch d := x.decision; {
	case d.Load != nil:
		g.nameLoaded(r, x, resp)
	case d.Context != nil, d.Stream:
		g.nameMade(r, x, resp)
	default:
		return verify(resp, func(text []byte) error {
			var made struct {
				ID string `json:"Id"`
			}
			if err := json.Unmarshal(text, &made); err != nil {
				return err
			}
			return g.engine.Give(r.Context(), d.Names, made.ID, func(string) {})
		})
	}
	return nil
}

// edited makes edit and end edit an answer, message by message.
func edited(resp *http.Response, edit func(dst, message []byte) []byte, end func(dst []byte) []byte) {
	resp.Body = progress.NewStream(resp.Body, edit, end)
	resp.ContentLength = -1
	resp.Header.Del("Content-Length")
}

// nameMade names the image of a build or an import.
func (g *Guard) nameMade(r *http.Request, x *exchange, resp *http.Response) {
	d := x.decision
	build := d.Context != nil
	result := progress.Result{Quiet: build && verdict.IsTrue(d.Query.Get("q"))}
	edited(resp, func(dst, message []byte) []byte {
		result.Read(message)
		return append(dst, message...)
	}, func(dst []byte) []byte {
		if result.Failed || x.upload != nil && refusalOf(x.upload) != nil {
			return dst
		}
		err := errNoImage
		if result.ID != "" {
			err = g.engine.Give(r.Context(), d.Names, result.ID, func(name string) {
				if build && !result.Quiet {
					dst = append(dst, progress.Message("Successfully tagged "+name+"\n")...)
				}
			})
		}
		return append(dst, g.lateDenial(r, x, err)...)
	})
}

var errNoImage = errors.New("the engine does not tell the ID of the image: it has no name")

// namePulled names the image of a pull. The answer speaks of what the client asked
// for, also when the pull fails.
func (g *Guard) namePulled(r *http.Request, x *exchange, resp *http.Response) {
	var result progress.Result
	ok, p := resp.StatusCode < 300, x.pulled
	edited(resp, func(dst, message []byte) []byte {
		result.Read(message)
		return append(dst, p.Restore(string(message))...)
	}, func(dst []byte) []byte {
		if !ok || result.Failed {
			return dst
		}
		err := g.engine.Give(r.Context(), x.decision.Names, p.Ref, func(string) {})
		return append(dst, g.lateDenial(r, x, err)...)
	})
}

// nameLoaded names the images of an archive.
func (g *Guard) nameLoaded(r *http.Request, x *exchange, resp *http.Response) {
	names, failed := x.decision.Names, false
	edited(resp, func(dst, message []byte) []byte {
		interim, ok := progress.Loaded(message)
		if !ok || failed {
			return append(dst, message...)
		}
		name, ok := names.Settle(interim)
		if !ok {
			return append(dst, message...)
		}
		if err := g.engine.Settle(r.Context(), names, interim, name); err != nil {
			failed = true
			return append(dst, g.lateDenial(r, x, err)...)
		}
		return append(dst, progress.Message("Loaded image: "+name+"\n")...)
	}, func(dst []byte) []byte {
		for _, interim := range names.Unsettled() { // of a load that failed
			g.engine.Unname(r.Context(), interim)
		}
		return dst
	})
}

// lateDenial logs err, which came up after the head of the answer, and returns the
// message that tells the client. It returns nil if err is nil.
func (g *Guard) lateDenial(r *http.Request, x *exchange, err error) []byte {
	if err == nil {
		return nil
	}
	resp := g.denial(r, x, err)
	text, _ := io.ReadAll(resp.Body) // in memory
	return streamError(&engine.Error{Status: resp.StatusCode, Message: engine.Message(text)})
}
