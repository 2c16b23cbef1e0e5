package proxy

import (
	"bytes"
	"cmp"
	"context"
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

// short reads and closes an answer of at most maxShort bytes. With an error it returns
// the beginning.
func short(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxShort+1))
	if err == nil && len(text) > maxShort {
		err = errors.New("the answer is too long")
	}
	if err != nil {
		return text, fmt.Errorf("read the engine's answer: %w", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
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
	text, err := short(resp)
	if err == nil && d.Verify != nil {
		err = d.Verify(text)
	}
	if err != nil {
		if d.Undo != nil {
			err = cmp.Or(g.callMade(ctx, *d.Undo, text), err)
		}
		return err
	}
	for _, call := range d.After {
		if err := g.callMade(ctx, call, text); err != nil {
			return err
		}
	}
	return nil
}

// callMade makes a call on what a request made, by the ID in the answer, of which the
// beginning is enough.
func (g *Guard) callMade(ctx context.Context, call verdict.EngineCall, answer []byte) error {
	id := madeID.FindSubmatch(answer)
	if id == nil {
		return fmt.Errorf("the engine's answer has no ID: %.100q", answer)
	}
	call.Path = strings.Replace(call.Path, verdict.MadeID, string(id[1]), 1)
	return g.engine.Call(ctx, call)
}

// madeID matches the member with the ID in an answer. Inside a text of the answer its
// quotes would be escaped.
var madeID = regexp.MustCompile(`"Id": *"([0-9a-f]{64})"`)
