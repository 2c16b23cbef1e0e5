package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	"sockguard/proxy/engine"
	"sockguard/proxy/scrub"
)

// scrub removes what is not the owner's from an error of the engine.
func (g *Guard) scrub(r *http.Request, resp *http.Response) {
	text, err := short(resp)
	message := engine.Message(text)
	shown := "sockguard: the engine's error is too long, or was cut"
	if err == nil {
		shown = scrub.Text(r.Context(), g.Policy, g.engine, message)
	}
	if shown != message {
		text = errorText(shown)
		resp.Header.Set("Content-Type", "application/json")
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
}
