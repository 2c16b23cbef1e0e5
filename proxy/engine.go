package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
)

// engine is sockguard's own client of the upstream engine: it looks objects up
// and makes the few requests that accompany a client's.
type engine struct {
	rt      http.RoundTripper
	current atomic.Pointer[engineInfo]
	seen    objectCache
	texts   sync.Map      // what is said of missing objects, by kind
	twins   chan struct{} // holds a value while a twin is made
}

var _ verdict.Inspector = (*engine)(nil)

func newEngine(rt http.RoundTripper) *engine { return &engine{rt: rt, twins: make(chan struct{}, 1)} }

// engineInfo is what an engine is.
type engineInfo struct {
	api     verdict.Version       // the newest API version that it speaks
	release rewrite.EngineVersion // how it reads Dockerfiles
	asked   time.Time
}

const (
	// infoAge is how long an engine is taken for what it was: it may be
	// replaced by another release behind the same socket.
	infoAge = time.Minute

	// answerSize is what most answers about one object take.
	answerSize = 16 << 10

	// maxKeptAnswer is the room that is kept for other answers.
	maxKeptAnswer = 64 << 10

	// maxAnswer is the ceiling of an answer about one object.
	maxAnswer = 16 << 20
)

// newestAPI is the newest API version whose routes the table knows.
var newestAPI = verdict.Version{Major: 1, Minor: 55}

// info returns what the engine is, from memory for a while.
func (e *engine) info(ctx context.Context) (*engineInfo, error) {
	if i := e.current.Load(); i != nil && time.Since(i.asked) < infoAge {
		return i, nil
	}
	var answer struct{ Version, ApiVersion string }
	if err := e.get(ctx, "/version", nil, &answer); err != nil {
		return nil, fmt.Errorf("ask for the engine's version: %w", err)
	}
	api, ok := verdict.ParseVersion(answer.ApiVersion)
	if !ok {
		return nil, fmt.Errorf("ask for the engine's version: got API version %q", answer.ApiVersion)
	}
	if newestAPI.Less(api) {
		api = newestAPI
	}
	i := &engineInfo{api: api, release: rewrite.ParseEngineVersion(answer.Version), asked: time.Now()}
	e.current.Store(i)
	return i, nil
}

// An engineError is an answer of the engine other than success.
type engineError struct {
	status  int
	message string
}

func (e *engineError) Error() string { return e.message }

// Is makes a 404 a verdict.ErrNotFound.
func (e *engineError) Is(target error) bool {
	return target == verdict.ErrNotFound && e.status == http.StatusNotFound
}

// get asks for one JSON document. Path may name things of the client's: it is
// escaped, and one that the engine's router would change names nothing.
func (e *engine) get(ctx context.Context, p string, query url.Values, into any) error {
	return e.do(ctx, verdict.EngineCall{Method: http.MethodGet, Path: p, Query: query}, into)
}

// call makes a request that accompanies a client's.
func (e *engine) call(ctx context.Context, c verdict.EngineCall) error {
	c.Path = e.versioned(c.Path)
	err := e.do(ctx, c, nil)
	if _, refused := errors.AsType[*engineError](err); refused && c.Optional {
		return nil
	}
	return err
}

// versioned puts the version of the API that is spoken before a path.
func (e *engine) versioned(path string) string {
	if i := e.current.Load(); i != nil {
		return "/v" + i.api.String() + path
	}
	return path
}

// send makes a request; the answer may be any, an error of the engine's too.
func (e *engine) send(ctx context.Context, c verdict.EngineCall) (*http.Response, error) {
	if path.Clean(c.Path) != c.Path {
		return nil, &engineError{http.StatusNotFound, "no such object: " + c.Path}
	}
	r := (&http.Request{
		Method: c.Method,
		URL:    &url.URL{Scheme: "http", Host: engineHost, Path: c.Path, RawQuery: c.Query.Encode()},
		Header: http.Header{},
	}).WithContext(ctx)
	if c.Body != nil {
		r.Header.Set("Content-Type", "application/json")
		setBody(r, c.Body)
	}
	return e.rt.RoundTrip(r)
}

func (e *engine) do(ctx context.Context, c verdict.EngineCall, into any) error {
	_, text, err := e.ask(ctx, c)
	if err != nil {
		return err
	}
	defer putAnswer(text)
	switch {
	case c.Verify != nil:
		return c.Verify(text.Bytes())
	case into == nil:
		return nil
	}
	return json.Unmarshal(text.Bytes(), into)
}

// ask makes a request and returns the answer, if it is a success. The caller may
// give it back.
func (e *engine) ask(ctx context.Context, c verdict.EngineCall) (http.Header, *bytes.Buffer, error) {
	resp, err := e.send(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text := answers.Get().(*bytes.Buffer)
	_, err = text.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		err = fmt.Errorf("read the engine's answer: %w", err)
	case text.Len() > maxAnswer:
		err = fmt.Errorf("the engine's answer is larger than %d bytes", maxAnswer)
	case resp.StatusCode >= 400:
		err = &engineError{resp.StatusCode, errorMessage(text.Bytes())}
	case resp.StatusCode >= 300:
		err = fmt.Errorf("the engine answers with %s", resp.Status)
	}
	if err != nil {
		putAnswer(text)
		return nil, nil, err
	}
	return resp.Header, text, nil
}

// answers holds empty *bytes.Buffer, with room for most answers about one object.
var answers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, answerSize)) }}

// putAnswer gives an answer back that nobody holds a part of.
func putAnswer(text *bytes.Buffer) {
	if text.Cap() <= maxKeptAnswer {
		text.Reset()
		answers.Put(text)
	}
}

// errorMessage takes the text out of Docker's error shape.
func errorMessage(body []byte) string {
	var e struct{ Message string }
	if err := json.Unmarshal(body, &e); err != nil || e.Message == "" {
		return strings.TrimSpace(string(body))
	}
	return e.Message
}
