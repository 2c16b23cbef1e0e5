package proxy

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// idleConns is how many idle engine connections are kept: enough for the
	// jobs of one host, few enough to leave the descriptors to streams.
	idleConns = 256

	// idleConnTimeout closes engine connections that nobody used for so long.
	idleConnTimeout = 90 * time.Second

	// idleHead is how much memory for heads an idle connection keeps.
	idleHead = 32 << 10
)

// A Transport sends requests to one engine, whatever host they name. It knows
// no proxy, no redirect, no compression and no time limit of an exchange.
//
// An exchange runs in the goroutine of its caller, where [http.Transport] hands
// every request to a writing and every answer to a reading goroutine: on short
// exchanges those take more time than the rest. Only a streamed body is sent by
// a goroutine of its own.
type Transport struct {
	dial func(context.Context) (net.Conn, error)

	mu     sync.Mutex
	idle   []*engineConn // the one that was used last comes last
	expiry *time.Timer
}

var _ http.RoundTripper = (*Transport)(nil)

// Transport returns a new transport to the engine. TLS, if any, is part of Dial.
func (u *Upstream) Transport() *Transport { return &Transport{dial: u.Dial} }

// RoundTrip sends a request and returns its answer, whose body must be read to
// its end for the connection to be used again. The body of the request may be
// read after the answer has begun: engines answer builds while they read.
//
// A request that cannot have had an effect is sent once more when the engine
// turns out to have closed an idle connection, as it does when it restarts.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	c, err := t.conn(r.Context())
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	resp, err := t.exchange(c, r)
	if err != nil && c.used && c.silent && safe(r) && r.Context().Err() == nil {
		t.CloseIdleConnections()
		if c, err = t.open(r.Context()); err != nil {
			return nil, err
		}
		return t.exchange(c, r)
	}
	return resp, err
}

// safe reports whether a request may be sent twice.
func safe(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && !hasBody(r)
}

// conn returns a connection to the engine: the idle one that was used last, if
// the engine has left one open.
func (t *Transport) conn(ctx context.Context) (*engineConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for c := t.take(); c != nil; c = t.take() {
		if c.look.open() {
			return c, nil
		}
		c.Close()
	}
	return t.open(ctx)
}

func (t *Transport) open(ctx context.Context) (*engineConn, error) {
	c, err := t.dial(ctx)
	if err != nil {
		return nil, err
	}
	return newEngineConn(c), nil
}

// exchange sends r and reads the head of the answer.
func (t *Transport) exchange(c *engineConn, r *http.Request) (*http.Response, error) {
	stop := closeAtEnd(r.Context(), c)
	sent, werr := c.send(r)
	resp, err := c.receive(r)
	werr = cmp.Or(werr, c.quick.askErr)
	if err != nil {
		stop()
		c.Close()
		return nil, cmp.Or(r.Context().Err(), werr, failure(sent), err)
	}
	a := &engineBody{body: resp.Body, ctx: r.Context(), t: t, c: c, stop: stop, sent: sent, keep: !resp.Close && werr == nil}
	if resp.Body == http.NoBody {
		a.end(true)
	} else {
		resp.Body = a
	}
	return resp, nil
}

// An engineBody is the body of an engine's answer. It may be closed while it is read.
type engineBody struct {
	body io.Reader
	ctx  context.Context // of the request
	t    *Transport
	c    *engineConn
	stop func() bool  // stops waiting for the end of ctx
	sent <-chan error // how the request's body ended; nil when it is sent
	keep bool         // neither side wants to close the connection
	once sync.Once
	over atomic.Bool // closed
	err  error       // of Read, stays: the connection may be in use again
}

func (a *engineBody) Read(p []byte) (int, error) {
	if a.over.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.body.Read(p)
	if err != nil {
		a.end(err == io.EOF)
		if err != io.EOF && a.ctx.Err() != nil {
			err = a.ctx.Err()
		}
		a.err = err
	}
	return n, err
}

// begun reports whether the next read has something to return.
func (a *engineBody) begun() bool { return a.c.r.Buffered() > 0 }

// Close ends the exchange wherever it is.
func (a *engineBody) Close() error {
	a.over.Store(true)
	a.end(false)
	return nil
}

// end gives the connection back if both sides have said all, and closes it if
// they have not.
func (a *engineBody) end(whole bool) {
	a.once.Do(func() {
		if a.stop() && whole && a.keep && a.allSent() && a.c.r.Buffered() == 0 {
			a.t.put(a.c)
		} else {
			a.c.Close()
		}
	})
}

func (a *engineBody) allSent() bool {
	if a.sent == nil {
		return true
	}
	select {
	case err := <-a.sent:
		return err == nil
	default:
		return false
	}
}

// failure returns the error of an upload that has ended with one.
func failure(sent <-chan error) error {
	select {
	case err := <-sent:
		return err
	default:
		return nil
	}
}

// take returns the idle connection that was used last, nil if there is none.
func (t *Transport) take() *engineConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.idle)
	if n == 0 {
		return nil
	}
	c := t.idle[n-1]
	t.idle[n-1] = nil
	t.idle = t.idle[:n-1]
	return c
}

func (t *Transport) put(c *engineConn) {
	c.used, c.since = true, time.Now()
	if cap(c.head) > idleHead {
		c.head = nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) == idleConns {
		c.Close()
		return
	}
	t.idle = append(t.idle, c)
	if t.expiry == nil {
		t.expiry = time.AfterFunc(idleConnTimeout, t.expire)
	}
}

// expire closes the connections that were idle for too long. The others are
// looked at again when the first of them comes of age.
func (t *Transport) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for n < len(t.idle) && time.Since(t.idle[n].since) >= idleConnTimeout {
		t.idle[n].Close()
		n++
	}
	t.idle = slices.Delete(t.idle, 0, n)
	t.expiry = nil
	if len(t.idle) > 0 {
		t.expiry = time.AfterFunc(idleConnTimeout-time.Since(t.idle[0].since), t.expire)
	}
}

// CloseIdleConnections closes the connections that nobody uses.
func (t *Transport) CloseIdleConnections() {
	for c := t.take(); c != nil; c = t.take() {
		c.Close()
	}
}
