package engine

import (
	"context"
	"io"
	"net/http"

	"sockguard/policy/verdict"
)

// A Caller is the client's request on whose behalf an engine is asked.
type Caller struct {
	Owner  string
	Login  string // its X-Registry-Auth, that of a pull
	Logins string // its X-Registry-Config, those of a build

	// Memory, if it is not nil, bounds the memory of answers that are held whole.
	Memory interface {
		Answer(ctx context.Context, body io.ReadCloser) io.ReadCloser
	}

	// Inspects is the path of the inspection that the request itself is, without a
	// version, and Version the version that the client speaks.
	Inspects string
	Version  verdict.Version

	makes bool             // the request makes a container
	made  []verdict.Object // what it has inspected since then

	// Inspection is the answer to it, once a decision has needed it.
	Inspection *Inspection
}

// An Inspection is the engine's answer about the object with an ID.
type Inspection struct {
	ID     string
	Header http.Header
	Text   []byte
}

type callerKey struct{}

// WithCaller returns a context for what is asked on behalf of c.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf returns the caller that a context is for, an empty one if none.
func callerOf(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}
