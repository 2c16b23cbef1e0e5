package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"sockguard/proxy"
	"sockguard/proxy/engine"
	"sockguard/proxy/listen"
)

// A supervisor runs the guards of one process and keeps them as the
// configuration says.
type supervisor struct {
	read          func() (*config, []settings, error)
	file          string // to watch, or ""
	debug, legacy bool
	out           io.Writer // for the start-up line of old

	log     *slog.Logger
	running map[string]*running // by listening address
	done    sync.WaitGroup
	failed  chan error
}

// running is one guarded socket that is being served.
type running struct {
	settings settings
	socket   *proxy.Socket
	stop     context.CancelFunc
}

// run serves until ctx is done or a socket fails.
func (s *supervisor) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); s.done.Wait() }()
	s.running, s.failed = map[string]*running{}, make(chan error, 1)
	watch, watchErr := newWatcher(s.file) // before the configuration is read
	if watch != nil {
		defer watch.close()
	}
	c, guards, err := s.read()
	if err = cmp.Or(err, watchErr); err != nil {
		return err
	}
	if s.log, err = newLogger(c, s.debug); err != nil {
		return err
	}
	if err := s.apply(ctx, guards); err != nil {
		return err
	}
	changes := watch.run(ctx, s.log)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.failed:
			return err
		case <-changes:
			s.reload(ctx)
		}
	}
}

// reload applies a changed configuration whole, or keeps the old one.
func (s *supervisor) reload(ctx context.Context) {
	_, guards, err := s.read()
	if err == nil {
		err = s.apply(ctx, guards)
	}
	if err != nil {
		s.log.Error("configuration not taken, the old one stays", "reason", err.Error())
		return
	}
	s.log.Info("configuration taken", "guards", len(guards))
}

// apply makes the sockets those of guards: it prepares everything that can
// fail, then swaps, starts and stops.
func (s *supervisor) apply(ctx context.Context, guards []settings) error {
	made := map[string]*proxy.Guard{}
	wanted := map[string]settings{}
	for _, g := range guards {
		g.complete(s.legacy)
		if _, twice := made[g.Listen]; twice {
			return fmt.Errorf("listen %s: two guards have this address; give each its own", g.Listen)
		}
		guard, err := g.guard(s.log)
		if err != nil {
			return err
		}
		made[g.Listen], wanted[g.Listen] = guard, g
	}
	var started []*running
	for listen, g := range wanted {
		if s.running[listen] != nil {
			continue
		}
		r, err := s.start(ctx, g, made[listen])
		if err != nil {
			for _, r := range started {
				r.stop()
				delete(s.running, r.settings.Listen)
			}
			return err
		}
		started = append(started, r)
		s.running[listen] = r
	}
	for listen, r := range s.running {
		if made[listen] == nil {
			r.stop()
			delete(s.running, listen)
			continue
		}
		r.socket.Use(made[listen])
		r.settings = wanted[listen]
	}
	return nil
}

func (s *supervisor) start(ctx context.Context, g settings, guard *proxy.Guard) (*running, error) {
	options, err := g.listenOptions()
	if err != nil {
		return nil, err
	}
	ln, err := listen.Listen(g.Listen, options)
	if err != nil {
		return nil, err
	}
	s.log.Info("guarding", "listen", g.Listen, "upstream", guard.Upstream.String(), "owner", g.Owner, "label", g.LabelKey)
	if s.legacy {
		fmt.Fprintf(s.out, "Listening on %s (socket UID %d GID %d permissions %s), upstream is %s\n",
			g.Listen, or(options.UID, os.Getuid()), or(options.GID, os.Getgid()), options.Mode, g.Upstream)
	}
	ctx, stop := context.WithCancel(ctx)
	r := &running{settings: g, socket: proxy.NewSocket(guard), stop: stop}
	s.done.Go(func() {
		if err := r.socket.Serve(ctx, ln); err != nil {
			select {
			case s.failed <- fmt.Errorf("serve %s: %w", g.Listen, err):
			default:
			}
		}
	})
	return r, nil
}

// guard makes the guard that settings describe.
func (s *settings) guard(log *slog.Logger) (*proxy.Guard, error) {
	p, err := s.policy()
	if err != nil {
		return nil, err
	}
	if _, err := s.listenOptions(); err != nil {
		return nil, err
	}
	upstream, err := s.engine()
	if err != nil {
		return nil, err
	}
	if socketPath(s.Listen) == socketPath(upstream.String()) {
		return nil, fmt.Errorf("listen and upstream are both %s: the guard would ask itself; is DOCKER_HOST already the guarded socket? name the engine with --upstream", s.Listen)
	}
	return proxy.NewGuard(p, upstream, log), nil
}

// engine is the upstream, with the TLS settings of the docker CLI.
func (s *settings) engine() (*engine.Upstream, error) {
	return engine.NewUpstream(s.Upstream, engine.TLSFiles{
		CertPath: os.Getenv("DOCKER_CERT_PATH"),
		Verify:   os.Getenv("DOCKER_TLS_VERIFY") != "",
		Enabled:  os.Getenv("DOCKER_TLS") != "",
	})
}

// socketPath is the absolute path of a unix socket, or the address as it is.
func socketPath(address string) string {
	path := strings.TrimPrefix(address, "unix://")
	if abs, err := filepath.Abs(path); err == nil && !strings.Contains(path, "://") {
		return abs
	}
	return address
}

func or(id, otherwise int) int {
	if id == -1 {
		return otherwise
	}
	return id
}
