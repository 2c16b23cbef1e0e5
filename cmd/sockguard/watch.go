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

// watch sends a value when the configuration is to be read again: on SIGHUP and
// when file changes. The directory is watched, since editors and configuration
// managers replace files.
func watch(ctx context.Context, file string, log *slog.Logger) (<-chan struct{}, error) {
	changes := make(chan struct{}, 1)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	var events chan fsnotify.Event
	stop := func() { signal.Stop(hup) }
	if file != "" {
		w, err := fsnotify.NewWatcher()
		if err != nil {
			return nil, fmt.Errorf("watch %s: %w", file, err)
		}
		if err := w.Add(filepath.Dir(file)); err != nil {
			w.Close()
			return nil, fmt.Errorf("watch %s: %w", file, err)
		}
		events = w.Events
		stop = func() { signal.Stop(hup); w.Close() }
	}
	go func() {
		defer stop()
		var quiet <-chan time.Time
		seen, _ := os.Stat(file)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
				log.Info("SIGHUP: reading the configuration again")
				notify(changes)
			case _, ok := <-events:
				if !ok {
					events = nil
				}
				quiet = time.After(settle)
			case <-quiet:
				quiet = nil
				if now, err := os.Stat(file); err == nil && !same(seen, now) {
					seen = now
					notify(changes)
				}
			}
		}
	}()
	return changes, nil
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
