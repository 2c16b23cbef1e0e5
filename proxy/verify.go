package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"sockguard/proxy/engine"
	"sockguard/proxy/scrub"
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

// verify checks an answer before the client gets it.
func verify(resp *http.Response, judge func([]byte) error) error {
	text, err := short(resp)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return judge(text)
}

// scrub removes what is not the owner's from an error of the engine.
func (g *Guard) scrub(r *http.Request, resp *http.Response) {
	text, err := short(resp)
	message := engine.Message(text)
	shown := "sockguard: the engine's error is too long, or was cut"
	if err == nil {
		shown = g.scrubber().Text(r.Context(), message)
	}
	if shown != message {
		text = errorText(shown)
		resp.Header.Set("Content-Type", "application/json")
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
}

func (g *Guard) scrubber() scrub.Scrubber {
	return scrub.Scrubber{Policy: g.Policy, Inspector: g.engine}
}
