// Package engine is sockguard's client of a Docker Engine: it sends the requests that a
// guard has rebuilt, and looks up and makes what a policy asks for.
//
// A [Client] sends requests with its [upstream.Transport] and answers the questions of
// a policy: it is the [verdict.Inspector] and [verdict.Builder] of a guard.
//
// The package decides nothing. It does not retry what may have had an effect,
// follows no redirect and sets no time limit on an exchange.
package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sockguard/policy/verdict"
	"sockguard/proxy/upstream"
	"sockguard/rewrite"
)

const (
	// infoAge is how long the answer about the engine itself is kept: it may be
	// replaced by another release behind the same socket.
	infoAge = time.Minute

	// maxAnswer is the ceiling of an answer about one object.
	maxAnswer = 16 << 20

	// smallAnswer is how much of an announced answer memory is taken for at once.
	smallAnswer = 256 << 10
)

// newestAPI is the newest API version whose routes the route table has.
var newestAPI = verdict.Version{Major: 1, Minor: 55}

// A Client talks to one engine. It is safe for concurrent use.
type Client struct {
	*upstream.Transport
	*room // of what clients are making

	info    atomic.Pointer[Info]
	setup   atomic.Pointer[setup]
	objects objectCache
	probe   string        // a name that no object has
	missing sync.Map      // the engine's words for a missing object, by kind
	settled sync.Map      // IDs of the operator's containers, by the name they were found by
	twins   chan struct{} // holds a value while a twin is made
}

var (
	_ http.RoundTripper = (*Client)(nil)
	_ verdict.Inspector = (*Client)(nil)
	_ verdict.Builder   = (*Client)(nil)
)

// NewClient returns a client of the engine that dial connects to, which is
// [upstream.Upstream.Dial] outside of tests.
func NewClient(dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{Transport: upstream.NewTransport(dial), room: newRoom(), probe: newProbe(), twins: make(chan struct{}, 1)}
}

// Info says what an engine is.
type Info struct {
	API     verdict.Version       // the newest API version that engine and route table share
	Release rewrite.EngineVersion // decides how Dockerfiles are read
	// Platform is that of the images it pulls: "linux/amd64".
	Platform string
	asked    time.Time
}

// Info returns what the engine is. It asks at most once a minute.
func (c *Client) Info(ctx context.Context) (*Info, error) {
	if i := c.info.Load(); i != nil && time.Since(i.asked) < infoAge {
		return i, nil
	}
	var answer struct{ Version, ApiVersion, Os, Arch string }
	if err := c.get(ctx, "/version", nil, &answer); err != nil {
		return nil, fmt.Errorf("ask for the engine's version: %w", err)
	}
	api, ok := verdict.ParseVersion(answer.ApiVersion)
	if !ok {
		return nil, fmt.Errorf("ask for the engine's version: got API version %q", answer.ApiVersion)
	}
	if newestAPI.Less(api) {
		api = newestAPI
	}
	i := &Info{API: api, Release: rewrite.ParseEngineVersion(answer.Version), Platform: answer.Os + "/" + answer.Arch, asked: time.Now()}
	c.info.Store(i)
	return i, nil
}

// An Error is an answer of the engine other than success.
type Error struct {
	Status  int
	Message string
}

func (e *Error) Error() string { return e.Message }

// Is makes a 404 a verdict.ErrNotFound.
func (e *Error) Is(target error) bool {
	return target == verdict.ErrNotFound && e.Status == http.StatusNotFound
}

// Message returns the text of an answer in Docker's error shape.
func Message(body []byte) string {
	var e struct{ Message string }
	if err := json.Unmarshal(body, &e); err != nil || e.Message == "" {
		return strings.TrimSpace(string(body))
	}
	return e.Message
}

// SetBody gives r a body in memory.
func SetBody(r *http.Request, body []byte) {
	r.ContentLength = int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody() // never fails
}

// Call makes a request that accompanies a client's, in the newest API version.
func (c *Client) Call(ctx context.Context, call verdict.EngineCall) error {
	call.Path = c.versioned(call.Path)
	err := c.do(ctx, call, nil)
	if _, refused := errors.AsType[*Error](err); refused && call.Optional {
		return nil
	}
	return err
}

// versioned puts the newest API version before a path, if it is known.
func (c *Client) versioned(path string) string {
	if i := c.info.Load(); i != nil {
		return "/v" + i.API.String() + path
	}
	return path
}

// get asks for one JSON document.
func (c *Client) get(ctx context.Context, p string, query url.Values, into any) error {
	return c.do(ctx, verdict.EngineCall{Method: http.MethodGet, Path: p, Query: query}, into)
}

func (c *Client) do(ctx context.Context, call verdict.EngineCall, into any) error {
	_, text, err := c.ask(ctx, call)
	switch {
	case err != nil:
		return err
	case into == nil:
		return nil
	}
	return json.Unmarshal(text, into)
}

// ambiguous matches the answer to the beginning of several IDs, which tells of
// objects of others. It counts as an answer that there is no such object.
var ambiguous = regexp.MustCompile(`[Mm]ultiple IDs found|is ambiguous`)

// ask makes a request and returns the answer, which is a success.
func (c *Client) ask(ctx context.Context, call verdict.EngineCall) (http.Header, []byte, error) {
	resp, err := c.send(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	text, err := readAnswer(resp)
	switch {
	case err != nil:
		return nil, nil, err
	case resp.StatusCode >= 400 && ambiguous.Match(text):
		return nil, nil, &Error{http.StatusNotFound, Message(text)}
	case resp.StatusCode >= 400:
		return nil, nil, &Error{resp.StatusCode, Message(text)}
	case resp.StatusCode >= 300:
		return nil, nil, fmt.Errorf("the engine answers with %s", resp.Status)
	}
	return resp.Header, text, nil
}

// send makes a request and returns the answer, whatever its status. The path may
// contain a name that the client chose. A path that the engine's router would
// clean names no object.
func (c *Client) send(ctx context.Context, call verdict.EngineCall) (*http.Response, error) {
	if path.Clean(call.Path) != call.Path {
		return nil, &Error{http.StatusNotFound, "no such object: " + call.Path}
	}
	r := (&http.Request{
		Method: call.Method,
		URL:    &url.URL{Scheme: "http", Host: upstream.Host, Path: call.Path, RawQuery: call.Query.Encode()},
		Header: http.Header{},
	}).WithContext(ctx)
	if call.Body != nil {
		r.Header.Set("Content-Type", "application/json")
		SetBody(r, call.Body)
	}
	return c.RoundTrip(r)
}

// readAnswer reads an answer whole. It does not close it.
func readAnswer(resp *http.Response) ([]byte, error) {
	ctx, body := resp.Request.Context(), resp.Body
	if memory := callerOf(ctx).Memory; memory != nil {
		body = memory.Answer(ctx, body)
	}
	var text bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= smallAnswer {
		text.Grow(int(n) + bytes.MinRead)
	}
	if _, err := text.ReadFrom(io.LimitReader(body, maxAnswer+1)); err != nil {
		return nil, fmt.Errorf("read the engine's answer: %w", err)
	}
	if text.Len() > maxAnswer {
		return nil, fmt.Errorf("the engine's answer is larger than %d bytes", maxAnswer)
	}
	return text.Bytes(), nil
}
