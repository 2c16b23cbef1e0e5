// Package verdict defines the input and the result of a decision: the operator's
// [Policy], a [Request] of the Engine API, the [Object] it names, and the
// [Decision] or [Denied] that results.
//
// The packages that import it decide on one part of the API each. They work on a
// [Case], which finds objects, tells whose they are and collects the decision.
// The package does no I/O: it asks an [Inspector] what exists on the engine.
package verdict

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

// A Policy is what the operator sets for the clients of one guarded socket. The
// zero value of every grant refuses.
type Policy struct {
	Grants

	// Owner is the value of the owner label. It should be stable (a team, a
	// pipeline), because it also separates build caches.
	Owner string
	// LabelKey is the key of the owner label.
	LabelKey string
	// Hosts are the names, in lower case, by which clients may call a TCP socket
	// besides those that no web page can have.
	Hosts []string
	// CgroupParent is the parent cgroup of every container, those of builds too.
	// "" keeps the engine's default. A client's own is refused.
	CgroupParent string
	// MaxContextBytes and MaxContextEntries bound a build context after
	// decompression; 0 is no bound.
	MaxContextBytes, MaxContextEntries int64
	// ShowLabelSteps keeps the steps that sockguard adds to a build in the
	// build's output.
	ShowLabelSteps bool
	// AuditOnly lets every request pass and only logs what would be refused.
	AuditOnly bool
}

// A Decision is a request that may be forwarded, rebuilt from what was checked.
type Decision struct {
	Name    string                // name for the path: a full ID where the engine takes one
	Query   url.Values            // complete
	Body    []byte                // JSON body, or nil
	Stream  bool                  // the client's body is forwarded as it comes: a tar
	Context *buildcontext.Options // how to rewrite the body of a build
	Remote  *Remote               // the build context to fetch in place of the client's body
	Load    *load.Options         // how to rewrite the body of an image load
	// Names are given to the image that the request makes, when it is there; nil is
	// none.
	Names *Names
	// Pull asks the registry for the digest of the image to pull, and puts it into
	// the Query. It is called before the request is forwarded; nil is no pull.
	Pull func() (*Pulled, error)
	// Tag returns the ID of the image that gets Names, for a request that asks for
	// nothing else. Such a request is not forwarded: sockguard gives the names and
	// answers.
	Tag func() (id string, err error)
	// Before are requests that must succeed before this one is forwarded. After
	// are requests that follow its success. Both are complete, but for [MadeID].
	Before, After []EngineCall
	// LabelStep is the build step that labels= makes for the owner label, counted
	// from the end: 1 is the last step. That step and those that the rewrite adds
	// to the Dockerfile are removed from the output. 0 keeps the output as it is.
	LabelStep int
	// Release gives back the room that was reserved for what the request makes; nil
	// if none was. It is called when the engine has answered.
	Release func()
	// Verify judges a successful, short answer before the client gets it; nil
	// accepts any. The exchange goes on until then, even if the client leaves.
	Verify func(answer []byte) error
	// Undo is the request that removes what was made, if Verify refuses it.
	Undo *EngineCall
	// Recheck judges the request again when the engine has begun a successful
	// answer, by when it has looked up every name; nil accepts.
	Recheck func() error
	// Builder is the Builder-Version that the answer tells; "" leaves the engine's.
	Builder string
	// Response filters the body of a successful response as a stream; nil
	// passes it on.
	Response func(dst io.Writer, src io.Reader) error
	// Finite says that the answer ends by itself, soon: nobody waits for its first
	// bytes.
	Finite bool
}

// MadeID stands for the full ID of what a request made, in the path of a call that
// follows it.
const MadeID = "{made}"

// An EngineCall is a request that sockguard itself makes to the engine.
type EngineCall struct {
	Method, Path string // without a version
	Query        url.Values
	Body         []byte // JSON, or nil
	// Optional means that the exchange goes on if the engine refuses the call.
	Optional bool
}

// Decide checks a parsed request. The engine's version is the zero value when it
// is not known. An error that wraps [Denied] is the verdict; any other error
// means that no verdict was possible, and refuses as well.
func (p *Policy) Decide(ctx context.Context, r *Request, engine rewrite.EngineVersion, in Inspector) (*Decision, error) {
	c := &Case{
		Policy: p, Request: r, Ctx: ctx, Inspector: in, Engine: engine,
		Out: &Decision{Name: r.Name, Query: r.Query, Stream: r.Route.Body == TarBody},
	}
	if err := r.Route.decide(c); err != nil {
		return nil, err
	}
	return c.Out, nil
}
