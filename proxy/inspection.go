package proxy

import (
	"net/http"
	"strconv"

	"sockguard/proxy/engine"
)

// mayBeAnswered tells the engine's client when a request is an inspection. A
// decision about an object by name inspects it anyway, and asking twice would
// double the time of the request.
func (x *exchange) mayBeAnswered(r *http.Request) {
	if r.Method == http.MethodGet && len(x.request.Query) == 0 {
		x.caller.Inspects = x.request.Route.Path(x.request.Name)
		x.caller.Version = x.request.Version
	}
}

// answered reports whether the decision has made the very inspection that the client
// asks for, and decided to pass its answer on unchanged.
func (x *exchange) answered() bool {
	d, i := x.decision, x.caller.Inspection
	return d != nil && i != nil && d.Name == i.ID && len(d.Query) == 0 && d.Response == nil && d.Verify == nil && d.Recheck == nil && len(d.Before)+len(d.After) == 0
}

// inspectionResponse returns an inspection as the answer to r.
func inspectionResponse(r *http.Request, i *engine.Inspection) *http.Response {
	resp := response(r, http.StatusOK, "", i.Text)
	i.Header.Set("Content-Length", strconv.Itoa(len(i.Text)))
	resp.Header = i.Header
	return resp
}
