package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
	"sockguard/proxy/scrub"
)

// An errorBody is the body of an answer that sockguard itself gives.
type errorBody struct{ *bytes.Reader }

func newErrorBody(text []byte) *errorBody { return &errorBody{bytes.NewReader(text)} }

// Close does nothing.
func (*errorBody) Close() error { return nil }

var _ io.ReadCloser = (*errorBody)(nil)

// denial logs err and returns the answer for the client, in Docker's error shape.
func (g *Guard) denial(r *http.Request, x *exchange, err error) *http.Response {
	status, message := g.denied(r, x, err)
	return errorResponse(r, status, message)
}

// lateDenial logs err, which came up after the head of the answer, and returns the last
// message of the answer.
func (g *Guard) lateDenial(r *http.Request, x *exchange, err error) []byte {
	_, message := g.denied(r, x, err)
	return streamError(message)
}

// denied logs err and returns what the client learns of it: the reason of a refusal,
// and no details of any other error.
func (g *Guard) denied(r *http.Request, x *exchange, err error) (status int, message string) {
	status, message = http.StatusBadGateway, "sockguard: the engine cannot be asked right now; try again or ask the operator to look at sockguard's log"
	if d, ok := errors.AsType[*verdict.Denied](err); ok {
		status, message = d.Status, d.Public()
	} else if e, ok := errors.AsType[*engine.Error](err); ok {
		status, message = e.Status, scrub.Text(r.Context(), g.Policy, g.engine, e.Message)
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		status = statusClientGone
	}
	x.denied = true
	g.log(r, x, status, err)
	return status, message
}

// statusClientGone is logged when the client has left before the answer.
const statusClientGone = 499

// errorResponse returns an answer in Docker's error shape. Clients compare its
// Content-Type as a string, so it has no parameters.
func errorResponse(r *http.Request, status int, message string) *http.Response {
	return response(r, status, "application/json", errorText(message))
}

func emptyResponse(r *http.Request) *http.Response { return response(r, http.StatusOK, "", nil) }

func response(r *http.Request, status int, contentType string, text []byte) *http.Response {
	h := http.Header{"Content-Length": {strconv.Itoa(len(text))}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: h,
		ContentLength: int64(len(text)), Body: newErrorBody(text), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// errorText is a message in Docker's error shape.
func errorText(message string) []byte {
	text, err := json.Marshal(struct {
		Message string `json:"message"`
	}{message})
	if err != nil {
		panic(err) // cannot happen: a string is valid JSON
	}
	return append(text, '\n')
}

// streamError is the last message of a stream of JSON messages.
func streamError(message string) []byte {
	type detail struct {
		Message string `json:"message"`
	}
	text, err := json.Marshal(struct {
		Detail detail `json:"errorDetail"`
		Error  string `json:"error"`
	}{detail{message}, message})
	if err != nil {
		panic(err) // cannot happen: strings are valid JSON
	}
	return append(text, '\r', '\n')
}
