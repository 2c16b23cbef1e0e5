package proxy

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"sockguard/proxy/internal/crash"
	"sockguard/proxy/listen"
	"sockguard/proxy/tunnel"
)

const (
	// answerGrace is how long a client that has closed its writing side waits for
	// an answer.
	answerGrace = 10 * time.Second

	// watchAfter is how long an exchange may take before its client is watched, and
	// goneCheck how often it then is.
	watchAfter = time.Second
	goneCheck  = 500 * time.Millisecond
)

// A connection is a client's connection to a [Socket].
type connection struct {
	net.Conn
	life context.Context // of the socket; tunnels end with it
}

type connectionKey struct{}

func connectionOf(ctx context.Context) *connection {
	c, _ := ctx.Value(connectionKey{}).(*connection)
	return c
}

// untilGone returns the context of an exchange with the client of r. It ends when
// the client has left. End must be called.
//
// The context of r is not enough. It ends also when the client has only closed its
// writing side; such a client gets answerGrace. And it does not end when the client
// has left after it sent a part of the next request.
func untilGone(r *http.Request, log *slog.Logger) (ctx context.Context, end func()) {
	c := connectionOf(r.Context())
	if c == nil {
		return r.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	watch := time.AfterFunc(watchAfter, func() {
		defer cancel()
		defer crash.Log(log)
		c.watch(r.Context(), ctx)
	})
	return ctx, func() { watch.Stop(); cancel() }
}

// readAhead makes the server read the body of r in large pieces, until end is called.
// A body of known length is read in large pieces anyway.
func readAhead(r *http.Request) (end func()) {
	if c := connectionOf(r.Context()); c != nil && r.ContentLength < 0 {
		if s, ok := c.Conn.(*listen.Conn); ok {
			s.ReadAhead(true)
			return func() { s.ReadAhead(false) }
		}
	}
	return func() {}
}

// watch returns when the client has left or has closed its writing side for too
// long, which ends server, or when exchange has ended.
func (c *connection) watch(server, exchange context.Context) {
	check := time.NewTicker(goneCheck)
	defer check.Stop()
	var grace <-chan time.Time
	halfClosed := server.Done()
	for !tunnel.Gone(c.Conn) {
		select {
		case <-halfClosed:
			grace, halfClosed = time.After(answerGrace), nil
		case <-check.C:
		case <-grace:
			return
		case <-c.life.Done():
			return
		case <-exchange.Done():
			return
		}
	}
}
