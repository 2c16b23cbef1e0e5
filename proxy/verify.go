package proxy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"sockguard/policy/verdict"
)

// maxShort is the ceiling of an answer that is checked as a whole.
const maxShort = 1 << 20

// short reads and closes an answer of at most maxShort bytes.
func short(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxShort+1))
	if err == nil && len(text) > maxShort {
		err = errors.New("the answer is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("read the engine's answer: %w", err)
	}
	return text, nil
}

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

// verify checks an answer before the client gets it.
func verify(resp *http.Response, judge func([]byte) error) error {
	text, err := short(resp)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return judge(text)
}

// callMade makes a call on what a request made, by the ID in the answer.
func (g *Guard) callMade(ctx context.Context, call verdict.EngineCall, answer []byte) error {
	var made struct {
		ID string `json:"Id"`
	}
	if err := json.Unmarshal(answer, &made); err != nil || !wholeID.MatchString(made.ID) {
		return fmt.Errorf("the engine's answer has no ID: %.100q", answer)
	}
	call.Path = strings.Replace(call.Path, verdict.MadeID, made.ID, 1)
	return g.engine.Call(ctx, call)
}

var wholeID = regexp.MustCompile(`^[0-9a-f]{64}$`)
