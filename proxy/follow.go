package proxy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"sockguard/policy/verdict"
)

// follow does what follows a successful answer before the client gets it. It checks
// what the request made, removes it if it is refused, and makes the calls that come
// after.
func (g *Guard) follow(r *http.Request, x *exchange, resp *http.Response) error {
	d := x.decision
	if d.Recheck != nil {
		if err := d.Recheck(); err != nil {
			return err
		}
	}
	if d.Verify == nil && len(d.After) == 0 {
		return nil
	}
	ctx := context.WithoutCancel(r.Context())
	return verify(resp, func(text []byte) error {
		if d.Verify != nil {
			if err := d.Verify(text); err != nil {
				if d.Undo != nil {
					err = cmp.Or(g.callMade(ctx, *d.Undo, text), err)
				}
				return err
			}
		}
		for _, call := range d.After {
			if err := g.callMade(ctx, call, text); err != nil {
				return err
			}
		}
		return nil
	})
}

var fullID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// callMade makes a call on what a request made, by the ID in the answer.
func (g *Guard) callMade(ctx context.Context, call verdict.EngineCall, answer []byte) error {
	var made struct {
		ID string `json:"Id"`
	}
	if err := json.Unmarshal(answer, &made); err != nil || !fullID.MatchString(made.ID) {
		return fmt.Errorf("the engine's answer has no ID: %.100q", answer)
	}
	call.Path = strings.Replace(call.Path, verdict.MadeID, made.ID, 1)
	return g.engine.Call(ctx, call)
}
