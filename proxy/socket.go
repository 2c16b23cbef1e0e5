package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"sockguard/proxy/listen"
)

const (
	// headerTimeout bounds the head of a request: a client that does not finish
	// one holds a descriptor.
	headerTimeout = 30 * time.Second

	// maxHead is the ceiling of the head of a request. Registry credentials are a few
	// KiB each. A request holds its headers to its end.
	maxHead = 128 << 10

	// idleTimeout closes client connections between requests. Clients reconnect by
	// themselves. Streams are not idle.
	idleTimeout = 5 * time.Minute

	// shutdownGrace is how long running exchanges may go on when the guard stops.
	// Those that have not ended are cut.
	shutdownGrace = 5 * time.Second
)

// A Socket is one guarded socket. Its guard may be replaced while it serves;
// exchanges that have begun keep the old guard.
type Socket struct{ guard atomic.Pointer[Guard] }

var _ http.Handler = (*Socket)(nil)

// NewSocket returns a socket with its first guard.
func NewSocket(g *Guard) *Socket {
	s := new(Socket)
	s.guard.Store(g)
	return s
}

// Use makes g the guard of the requests to come.
func (s *Socket) Use(g *Guard) { s.guard.Store(g) }

// ServeHTTP hands a request to the current guard. A panic ends only this exchange.
func (s *Socket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := s.guard.Load()
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				g.Log.Error("panic", "value", v, "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler)
		}
	}()
	g.ServeHTTP(w, r)
}

// Serve answers on ln until ctx is done, then gives running exchanges shutdownGrace
// to end. It closes ln.
func (s *Socket) Serve(ctx context.Context, ln net.Listener) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var http1 http.Protocols
	http1.SetHTTP1(true) // an HTTP/2 preface is refused: it could reach BuildKit
	server := &http.Server{
		Handler:     s,
		BaseContext: func(net.Listener) context.Context { return life },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, &connection{c, life})
		},
		Protocols:         &http1,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(s.guard.Load().Log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		server.Shutdown(grace)
		end()
		server.Close()
	})()
	err := server.Serve(listen.Ahead(ln))
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		return nil
	}
	return err
}
