package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"sockguard/policy"
)

// maxShort is the ceiling of an answer that is held to be judged.
const maxShort = 1 << 20

// short reads a short answer whole and closes it.
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

// verify judges a short answer and puts it back.
func verify(resp *http.Response, judge func([]byte) error) error {
	text, err := short(resp)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return judge(text)
}

var fullID = regexp.MustCompile(`[0-9a-f]{64}`)

// scrub takes IDs that are not the owner's out of a conflict's message: whose
// name is taken is told with the holder's ID.
func (g *Guard) scrub(r *http.Request, resp *http.Response) *http.Response {
	text, err := short(resp)
	if err != nil {
		return errorResponse(r, http.StatusConflict, "sockguard: conflict with an object that exists")
	}
	message := fullID.ReplaceAllStringFunc(errorMessage(text), func(id string) string {
		o, err := g.engine.Inspect(r.Context(), policy.Container, id)
		if err != nil || o.Labels[g.Policy.LabelKey] != g.Policy.Owner {
			return "of another owner"
		}
		return id
	})
	return errorResponse(r, http.StatusConflict, message)
}
