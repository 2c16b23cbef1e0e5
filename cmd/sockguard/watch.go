package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a file must be quiet before it is read: editors write in
// several steps.
const settle = 200 * time.Millisecond

// A watcher notes from its making on what the configuration that was read after
// that may be too old for: SIGHUP, and changes of a file. The directory is
// watched, since editors and configuration managers replace files.
type watcher struct {
	file string
	seen os.FileInfo // nil if there was none
	hup  chan os.Signal
	fs   *fsnotify.Watcher // nil if no file is watched
}

func newWatcher(file string) (*watcher, error) {
	w := &watcher{file: file, hup: make(chan os.Signal, 1)}
	if file != "" {
		var err error
		if w.fs, err = fsnotify.NewWatcher(); err != nil {
			return nil, fmt.Errorf("watch %s: %w", file, err)
		}
		if err := w.fs.Add(filepath.Dir(file)); err != nil {
			w.fs.Close()
			return nil, fmt.Errorf("watch %s: %w", file, err)
		}
		w.seen, _ = os.Stat(file)
	}
	signal.Notify(w.hup, syscall.SIGHUP)
	return w, nil
}

func (w *watcher) close() {
	signal.Stop(w.hup)
	if w.fs != nil {
		w.fs.Close()
	}
}

// run sends a value when the configuration is to be read again, until ctx is done.
func (w *watcher) run(ctx context.Context, log *slog.Logger) <-chan struct{} {
	changes := make(chan struct{}, 1)
	var events chan fsnotify.Event
	var errs chan error
	if w.fs != nil {
		events, errs = w.fs.Events, w.fs.Errors
	}
	go func() {
		var quiet <-chan time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.hup:
				log.Info("SIGHUP: reading the configuration again")
				notify(changes)
			case _, ok := <-events:
				if !ok {
					events = nil
				}
				quiet = time.After(settle)
			case err, ok := <-errs:
				if !ok {
					errs = nil
					continue
				}
				log.Warn("changes of the configuration may have been missed", "reason", err.Error())
				quiet = time.After(settle)
			case <-quiet:
				quiet = nil
				if now, err := os.Stat(w.file); err == nil && !same(w.seen, now) {
					w.seen = now
					notify(changes)
				}
			}
		}
	}()
	return changes
}

// same reports whether a file is still what it was: others in its directory
// change too.
func same(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
