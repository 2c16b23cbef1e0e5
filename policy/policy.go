package policy

import (
	"context"
	"io"
	"net/url"

	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/load"
)

// DefaultLabelKey is the label that names the owner of an object.
const DefaultLabelKey = "com.buildkite.sockguard.owner"

// A Policy holds what the operator grants to the clients of one guarded socket.
// The zero value of every grant refuses.
type Policy struct {
	Grants

	// Owner is the value of the owner label: who holds the socket. It must be
	// stable (a team, a pipeline), for it separates build caches.
	Owner string
	// LabelKey is the key of the owner label.
	LabelKey string
	// CgroupParent is the cgroup of every container, of builds too; "" leaves
	// the engine's default and refuses a client's own.
	CgroupParent string
	// MaxContextBytes and MaxContextEntries bound a build context after
	// decompression; 0 is no bound.
	MaxContextBytes, MaxContextEntries int64
	// ShowLabelSteps leaves the steps that sockguard adds to a build in its
	// output.
	ShowLabelSteps bool
	// AuditOnly lets everything pass and only logs what would be refused.
	AuditOnly bool
}

// A Decision is a request that may be forwarded, rebuilt from what was checked.
type Decision struct {
	Name    string                // identifier for the path: a full ID where the engine takes one
	Query   url.Values            // complete
	Body    []byte                // JSON body, or nil
	Stream  bool                  // the client's body goes along as it comes: a tar
	Context *buildcontext.Options // how to rewrite the body of a build
	Remote  *Remote               // what to fetch for the body of a build, in place of the client's
	Load    *load.Options         // how to rewrite the body of an image load
	// Before are requests that must succeed before this one is forwarded; After
	// follow its success. They run with the owner's labels already in place.
	Before, After []Call
	// LabelStep counts from the last step of a build back, which is 1, to the one
	// that labels= makes for the owner label. It and the steps of the rewritten
	// Dockerfile are left out of the output; 0 leaves the output as it is.
	LabelStep int
	// Verify judges a successful answer, which is short, before the client gets
	// it; nil takes any.
	Verify func(answer []byte) error
	// Response filters the body of a successful response as a stream; nil
	// passes it on.
	Response func(dst io.Writer, src io.Reader) error
}

// A Call is a request of sockguard's own to the engine, path without a version.
type Call struct {
	Method, Path string
	Query        url.Values
	Body         []byte // JSON, or nil
	// Verify judges the answer; nil takes any success.
	Verify func(answer []byte) error
	// Optional lets the engine refuse the call: what it undoes may not be there.
	Optional bool
}

// A call is one request on its way to a decision.
type call struct {
	*Policy
	*Request
	ctx       context.Context
	inspector Inspector
	engine    rewrite.EngineVersion
	out       *Decision
}

// Decide checks a parsed request. Engine is the version of the upstream engine,
// the zero value when it is not known. An error that wraps *Denied is the
// verdict; any other means that no verdict was possible and refuses as well.
func (p *Policy) Decide(ctx context.Context, r *Request, engine rewrite.EngineVersion, in Inspector) (*Decision, error) {
	c := &call{
		Policy: p, Request: r, ctx: ctx, inspector: in, engine: engine,
		out: &Decision{Name: r.Name, Query: r.Query, Stream: r.Route.Body == TarBody},
	}
	if err := r.Route.decide(c); err != nil {
		return nil, err
	}
	return c.out, nil
}
