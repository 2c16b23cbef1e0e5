package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// Lanes accept connections. They answer plain requests, which are nearly all of
// them, in the goroutine of their connection; a connection that asks for
// anything else goes to [http.Server] from there on, with every byte of that
// request. The server spends several goroutine switches and system calls on each
// request, which is more than all that sockguard does with a plain one.
type lanes struct {
	net.Listener
	handler http.Handler
	life    context.Context // ends the exchanges
	log     *slog.Logger

	others chan net.Conn // for http.Server
	failed chan error    // of Accept
	closed chan struct{}

	mu   sync.Mutex
	open map[*lane]struct{}
	busy sync.WaitGroup // lanes in open
}

// newLanes starts to accept on ln. The lanes are a listener of the connections
// that are not theirs.
func newLanes(ln net.Listener, h http.Handler, life context.Context, log *slog.Logger) *lanes {
	l := &lanes{
		Listener: ln, handler: h, life: life, log: log,
		others: make(chan net.Conn), failed: make(chan error), closed: make(chan struct{}),
		open: make(map[*lane]struct{}),
	}
	go l.accept()
	return l
}

func (l *lanes) accept() {
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			if n := newLane(l, c); l.enter(n) {
				go n.serve()
			}
			continue
		}
		select {
		case l.failed <- err: // the server waits before it accepts again
		case <-l.closed:
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// Accept waits for a connection that asks for more than lanes answer.
func (l *lanes) Accept() (net.Conn, error) {
	select {
	case c := <-l.others:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting and closes the lanes that are idle. The others close
// when their exchange has ended.
func (l *lanes) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		return net.ErrClosed
	default:
	}
	close(l.closed)
	for n := range l.open {
		if !n.busy.Load() {
			n.conn.Close()
		}
	}
	return l.Listener.Close()
}

// wait closes the lanes and returns when all exchanges have ended, or ctx.
func (l *lanes) wait(ctx context.Context) {
	l.Close()
	done := make(chan struct{})
	go func() { l.busy.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// cut closes all lanes.
func (l *lanes) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := range l.open {
		n.conn.Close()
	}
}

func (l *lanes) enter(n *lane) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed() {
		n.conn.Close()
		return false
	}
	l.busy.Add(1)
	l.open[n] = struct{}{}
	return true
}

func (l *lanes) leave(n *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, n)
	l.busy.Done()
}

func (l *lanes) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}
