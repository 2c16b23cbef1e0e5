package config

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"sockguard/proxy"
	"sockguard/proxy/listen"
)

// Serve runs the guards that a source describes until ctx is done or a socket
// fails. It loads the source again when its file changes and on SIGHUP. The
// start-up line that scripts of buildkite/sockguard read goes to out.
func Serve(ctx context.Context, source *Source, out io.Writer) error {
	return (&supervisor{source: source, out: out, poll: pollInterval}).run(ctx)
}

// A supervisor runs the guards of one process and keeps them as the
// configuration says.
type supervisor struct {
	source *Source
	out    io.Writer
	poll   time.Duration

	log     *slog.Logger
	running map[string]*running // by listening address
	done    sync.WaitGroup
	failed  chan error
}

// running is one guarded socket that is being served.
type running struct {
	socket *proxy.Socket
	stop   context.CancelFunc
}

func (s *supervisor) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); s.done.Wait() }()
	s.running, s.failed = map[string]*running{}, make(chan error, 1)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	watch := newWatcher(s.source.file)

	c, err := s.source.Load()
	if err != nil {
		return err
	}
	if s.log, err = c.logger(); err != nil {
		return err
	}
	if err := s.apply(ctx, c.Guards); err != nil {
		return err
	}
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	if s.source.file == "" {
		tick.Stop()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.failed:
			return err
		case <-hup:
			s.reload(ctx)
		case <-tick.C:
			if watch.changed() {
				s.reload(ctx)
			}
		}
	}
}

// reload applies the configuration as it is now whole, or keeps the old one.
func (s *supervisor) reload(ctx context.Context) {
	c, err := s.source.Load()
	if err == nil {
		err = s.apply(ctx, c.Guards)
	}
	if err != nil {
		s.log.Error("configuration not taken, the old one stays", "reason", err.Error())
		return
	}
	s.log.Info("configuration taken", "guards", len(c.Guards))
}

// apply makes the sockets those of guards. It prepares everything that can fail
// before it changes what runs.
func (s *supervisor) apply(ctx context.Context, guards []Settings) error {
	made := map[string]*proxy.Guard{}
	for _, g := range guards {
		if made[g.Listen] != nil {
			return fmt.Errorf("listen %s: two guards have this address; give each its own", g.Listen)
		}
		guard, err := g.Guard(s.log)
		if err != nil {
			return err
		}
		made[g.Listen] = guard
	}
	var started []string
	for _, g := range guards {
		if s.running[g.Listen] != nil {
			continue
		}
		if err := s.start(ctx, &g, made[g.Listen]); err != nil {
			for _, listen := range started {
				s.stop(listen)
			}
			return err
		}
		started = append(started, g.Listen)
	}
	for listen, r := range s.running {
		if guard := made[listen]; guard != nil {
			r.socket.Use(guard)
		} else {
			s.stop(listen)
		}
	}
	return nil
}

// start serves a guard on a new socket.
func (s *supervisor) start(ctx context.Context, g *Settings, guard *proxy.Guard) error {
	options, err := g.listenOptions()
	if err != nil {
		return err
	}
	ln, err := listen.Listen(g.Listen, options)
	if err != nil {
		return err
	}
	s.log.Info("guarding", "listen", g.Listen, "upstream", guard.Upstream.String(), "owner", g.Owner, "label", g.LabelKey)
	if s.source.legacy {
		fmt.Fprintf(s.out, "Listening on %s (socket UID %d GID %d permissions %s), upstream is %s\n",
			g.Listen, or(options.UID, os.Getuid()), or(options.GID, os.Getgid()), options.Mode, g.Upstream)
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &running{socket: proxy.NewSocket(guard), stop: cancel}
	s.running[g.Listen] = r
	s.done.Go(func() {
		if err := r.socket.Serve(ctx, ln); err != nil {
			select {
			case s.failed <- fmt.Errorf("serve %s: %w", g.Listen, err):
			default:
			}
		}
	})
	return nil
}

// stop ends a socket. Its exchanges have a moment to end.
func (s *supervisor) stop(listen string) {
	s.running[listen].stop()
	delete(s.running, listen)
}

func or(id, otherwise int) int {
	if id == -1 {
		return otherwise
	}
	return id
}
