package engine

import (
	"context"
	"net/http"
	"net/url"

	"github.com/distribution/reference"

	"sockguard/policy/verdict"
)

// naming holds a value while a name is given, by any guard of the process: nothing
// may happen to the name between the look at what it means and the change.
var naming = make(chan struct{}, 1)

// Name gives a name to image o, by its ID, if may allows it. This is the only place
// from which a name that a client chose is given. The call is not cut when the client
// leaves: the engine could then give the name when the next one looks at it.
func (c *Client) Name(ctx context.Context, ref string, o verdict.Object, may func(ref string, o verdict.Object) error) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return &Error{http.StatusBadRequest, err.Error()}
	}
	query := url.Values{"repo": {named.Name()}}
	if tagged, ok := reference.TagNameOnly(named).(reference.Tagged); ok {
		query.Set("tag", tagged.Tag())
	}
	select {
	case naming <- struct{}{}:
		defer func() { <-naming }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := may(ref, o); err != nil {
		return err
	}
	return c.do(context.WithoutCancel(ctx), verdict.EngineCall{
		Method: http.MethodPost, Path: c.versioned("/images/" + o.ID + "/tag"), Query: query,
	}, nil)
}
