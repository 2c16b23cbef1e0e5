package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"sockguard/policy"
	"sockguard/policy/verdict"
)

// An Explanation tells what would happen to a request, and why.
type Explanation struct {
	Verdict string `json:"verdict"` // allow, deny, answer (by sockguard itself)
	Route   string `json:"route,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Status  int    `json:"status,omitempty"`
	// Message is what the client reads, Reason what the operator's log says.
	Message string `json:"message,omitempty"`
	Reason  string `json:"reason,omitempty"`

	Request  *Rewritten  `json:"request,omitempty"` // as the engine would get it
	Before   []Rewritten `json:"before,omitempty"`  // sent ahead of it
	After    []Rewritten `json:"after,omitempty"`   // sent after its success
	Names    []string    `json:"names,omitempty"`   // given to the image when it is there
	Context  bool        `json:"contextRewritten,omitempty"`
	Load     bool        `json:"imagesLabelled,omitempty"`
	Filtered bool        `json:"answerFiltered,omitempty"`
}

// A Rewritten is a request for the engine.
type Rewritten struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Query  url.Values      `json:"query,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// Explain decides a request without sending it. It looks up on the engine the objects
// that the request names; an error means that a look-up failed.
func (g *Guard) Explain(ctx context.Context, method string, u *url.URL, body []byte) (*Explanation, error) {
	e := &Explanation{Verdict: "allow"}
	r, err := policy.Parse(method, u)
	if err != nil {
		return e.denied(err)
	}
	e.Route, e.Rule = r.Route.Method+" "+r.Route.Pattern, string(r.Route.Verdict)
	if r.Route.Verdict == verdict.Local {
		e.Verdict, e.Status = "answer", http.StatusOK
		return e, nil
	}
	info, err := g.engine.Info(ctx)
	if err != nil {
		return nil, err
	}
	if r.Version == (verdict.Version{}) {
		r.Version = info.API
	}
	if r.Route.Body == verdict.JSONBody {
		r.Body = body
	}
	d, err := g.Policy.Decide(ctx, r, info.Release, g.engine)
	if err != nil {
		return e.denied(err)
	}
	if d.Release != nil {
		d.Release()
	}
	e.Request = &Rewritten{method, "/v" + r.Version.String() + r.Route.Path(d.Name), d.Query, d.Body}
	e.Before, e.After = rewritten(d.Before), rewritten(d.After)
	if d.Names != nil {
		e.Names = d.Names.Refs
	}
	e.Context, e.Load, e.Filtered = d.Context != nil, d.Load != nil, d.Response != nil
	return e, nil
}

func (e *Explanation) denied(err error) (*Explanation, error) {
	d, ok := errors.AsType[*verdict.Denied](err)
	if !ok {
		return nil, err
	}
	e.Verdict, e.Status, e.Rule, e.Message = "deny", d.Status, d.Rule, d.Public()
	if d.Truth != "" {
		e.Reason = d.Truth
	}
	return e, nil
}

func rewritten(calls []verdict.EngineCall) (list []Rewritten) {
	for _, c := range calls {
		list = append(list, Rewritten{c.Method, c.Path, c.Query, c.Body})
	}
	return list
}
