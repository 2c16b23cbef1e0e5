package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// A lookUp is the engine's answer to the inspection of an object by name, in the
// version of the API that the client speaks.
type lookUp struct {
	id     string
	header http.Header
	text   *bytes.Buffer // given back when the exchange has ended
}

// asksFor reports whether a request is the very inspection at path, which its
// decision has to make anyway.
func (x *exchange) asksFor(path string) bool {
	r := x.request
	return r.Method == http.MethodGet && len(r.Query) == 0 && r.Route.Path(r.Name) == path
}

// answered reports whether the decision has got the answer to the request: the
// object that was checked, seen at the moment of the check. Asking again, by ID,
// would cost as much as everything else. What is decided must be to pass on just
// that answer.
func (x *exchange) answered() bool {
	d, l := x.decision, x.lookUp
	return d != nil && l != nil && d.Name == l.id && len(d.Query) == 0 && d.Response == nil && d.Verify == nil && len(d.Before)+len(d.After) == 0
}

// answer returns the look-up as the answer to r.
func (l *lookUp) answer(r *http.Request) *http.Response {
	body := l.text.Bytes()
	l.header.Set("Content-Length", strconv.Itoa(len(body)))
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Header: l.header,
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}
