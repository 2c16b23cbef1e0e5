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
)

// An errorBody is the body of an answer that sockguard itself gives.
type errorBody struct{ *bytes.Reader }

func newErrorBody(text []byte) *errorBody { return &errorBody{bytes.NewReader(text)} }

// Close does nothing.
func (*errorBody) Close() error { return nil }

var _ io.ReadCloser = (*errorBody)(nil)

// denial logs err and returns the answer for the client, in Docker's error shape. The
// answer has the reason of a refusal, and no details of any other error.
func (g *Guard) denial(r *http.Request, x *exchange, err error) *http.Response {
	status, message := http.StatusBadGateway, "sockguard: the engine cannot be asked right now; try again or ask the operator to look at sockguard's log"
	if d, ok := errors.AsType[*verdict.Denied](err); ok {
		status, message = d.Status, d.Public()
	} else if e, ok := errors.AsType[*engine.Error](err); ok {
		status, message = e.Status, g.scrubber().Text(r.Context(), e.Message)
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		status = statusClientGone
	}
	g.log(r, x, status, err)
	return errorResponse(r, status, message)
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

// streamError returns err as the last message of a stream of JSON messages.
func streamError(err error) []byte {
	message := err.Error()
	if d, ok := errors.AsType[*verdict.Denied](err); ok {
		message = d.Public()
	} else if e, ok := errors.AsType[*engine.Error](err); ok {
		message = e.Message
	}
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
