// Package naming gives the names that clients ask for to the images that their
// requests make or pull: after the work, by ID.
package naming

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/progress"
)

// A Giver gives the names of one request.
type Giver struct {
	Engine *engine.Client
	Names  *verdict.Names
	// Deny logs why a name is not given, and returns the message that tells the client
	// at the end of a stream. It gets no nil.
	Deny func(err error) []byte
}

var errNoImage = errors.New("the engine does not tell the ID of the image: it has no name")

// Give gives the names to the image that ref leads to, up to the first one that is
// refused. It returns those that were given.
func (g *Giver) Give(ctx context.Context, ref string) (given []string, err error) {
	o, err := g.Engine.Inspect(ctx, verdict.Image, ref)
	if err != nil {
		return nil, err
	}
	for i, name := range g.Names.Refs {
		if err := g.Engine.Name(ctx, name, o, g.Names.May); err != nil {
			return g.Names.Refs[:i], err
		}
	}
	return g.Names.Refs, nil
}

// Commit names the image of a commit, of which text is the answer.
func (g *Giver) Commit(ctx context.Context, text []byte) error {
	var made struct {
		ID string `json:"Id"`
	}
	if err := json.Unmarshal(text, &made); err != nil {
		return err
	}
	_, err := g.Give(ctx, made.ID)
	return err
}

// Build names the image of a build at the end of its answer. Refused reports whether
// the upload was refused.
func (g *Giver) Build(ctx context.Context, resp *http.Response, quiet bool, refused func() bool) {
	g.atEnd(resp, progress.Result{Quiet: quiet}, func(dst []byte, id string) []byte {
		if refused() {
			return dst
		}
		given, err := g.Give(ctx, id)
		for _, name := range given {
			if !quiet {
				dst = append(dst, progress.Message("Successfully tagged "+name+"\n")...)
			}
		}
		return g.tell(dst, err)
	})
}

// Import names the image of an import at the end of its answer.
func (g *Giver) Import(ctx context.Context, resp *http.Response) {
	g.atEnd(resp, progress.Result{}, func(dst []byte, id string) []byte {
		_, err := g.Give(ctx, id)
		return g.tell(dst, err)
	})
}

// atEnd has give append to an answer that tells of no error.
func (g *Giver) atEnd(resp *http.Response, result progress.Result, give func(dst []byte, id string) []byte) {
	progress.Edit(resp, func(dst, message []byte) []byte {
		result.Read(message)
		return append(dst, message...)
	}, func(dst []byte) []byte {
		switch {
		case result.Failed:
			return dst
		case result.ID == "":
			return g.tell(dst, errNoImage)
		}
		return give(dst, result.ID)
	})
}

// Pull names the image of a pull at the end of its answer, which speaks of what the
// client asked for, also when the pull fails.
func (g *Giver) Pull(ctx context.Context, resp *http.Response, p *verdict.Pulled) {
	result := progress.Result{Failed: resp.StatusCode >= 300}
	progress.Edit(resp, func(dst, message []byte) []byte {
		result.Read(message)
		return append(dst, p.Restore(string(message))...)
	}, func(dst []byte) []byte {
		if result.Failed {
			return dst
		}
		_, err := g.Give(ctx, p.Ref)
		return g.tell(dst, err)
	})
}

// Load names the images of an archive, each when the engine tells that it is loaded.
func (g *Giver) Load(ctx context.Context, resp *http.Response) {
	failed := false
	progress.Edit(resp, func(dst, message []byte) []byte {
		interim, ok := progress.Loaded(message)
		name, ours := g.Names.Settle(interim)
		switch {
		case !ok || !ours:
			if bytes.Contains(message, []byte(verdict.InterimRepository)) {
				message = []byte(g.Names.Show(string(message)))
			}
			return append(dst, message...)
		case failed:
			g.unname(ctx, interim)
			return dst
		}
		if err := g.settle(ctx, interim, name); err != nil {
			failed = true
			return g.tell(dst, err)
		}
		return append(dst, progress.Message("Loaded image: "+name+"\n")...)
	}, nil)
}

// Unload removes the interim names that a load has left, because it failed or because
// its client has left.
func (g *Giver) Unload(ctx context.Context) {
	for _, interim := range g.Names.Unsettled() {
		g.unname(ctx, interim)
	}
}

// settle gives a loaded image its name in place of an interim one. The interim name is
// removed in any case, and with it an image that gets no other name.
func (g *Giver) settle(ctx context.Context, interim, name string) error {
	defer g.unname(ctx, interim)
	o, err := g.Engine.Inspect(ctx, verdict.Image, interim)
	if err != nil {
		return err
	}
	return g.Engine.Name(ctx, name, o, g.Names.May)
}

// unname removes an interim name, if it is there.
func (g *Giver) unname(ctx context.Context, interim string) {
	g.Engine.Call(context.WithoutCancel(ctx), verdict.EngineCall{
		Method: http.MethodDelete, Path: "/images/" + interim, Query: url.Values{"force": {"1"}, "noprune": {"1"}}, Optional: true,
	})
}

// tell appends the message about an error, if there is one.
func (g *Giver) tell(dst []byte, err error) []byte {
	if err == nil {
		return dst
	}
	return append(dst, g.Deny(err)...)
}
