package proxy

import (
	"context"
	"net"
	"net/http"
	"time"

	"sockguard/proxy/tunnel"
)

const (
	// answerGrace is how long a client that has closed its writing side waits for
	// an answer.
	answerGrace = 10 * time.Second

	// goneCheck is how often such a client is looked for meanwhile.
	goneCheck = 50 * time.Millisecond
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
// the client has left. The context of r ends also when the client has only closed
// its writing side; such a client gets answerGrace. End must be called.
func untilGone(r *http.Request) (ctx context.Context, end func()) {
	c := connectionOf(r.Context())
	if c == nil {
		return r.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	stop := context.AfterFunc(r.Context(), func() {
		defer cancel()
		grace := time.NewTimer(answerGrace)
		defer grace.Stop()
		check := time.NewTicker(goneCheck)
		defer check.Stop()
		for !tunnel.Gone(c.Conn) {
			select {
			case <-check.C:
			case <-grace.C:
				return
			case <-c.life.Done():
				return
			case <-ctx.Done():
				return
			}
		}
	})
	return ctx, func() { stop(); cancel() }
}
