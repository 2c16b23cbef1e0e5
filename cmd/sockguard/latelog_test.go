package main

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A writeRecorder keeps what each write brought, without the times.
type writeRecorder struct {
	mu     sync.Mutex
	writes []string
}

func (w *writeRecorder) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var said []string
	for line := range strings.Lines(string(p)) {
		_, message, _ := strings.Cut(line, "msg=")
		said = append(said, strings.TrimSpace(message))
	}
	w.writes = append(w.writes, strings.Join(said, " "))
	return len(p), nil
}

func (w *writeRecorder) check(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff(want, w.writes); diff != "" {
		t.Errorf("other writes than wanted: %s", diff)
	}
	w.writes = nil
}

// TestLateLog: lines of information wait for others, but not for long; a refusal
// waits for nothing and keeps its place; and lines never come out of a buffer
// without an end.
func TestLateLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writeRecorder{}
		handler, late := newLateLog(w, func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		})
		log := slog.New(handler)

		log.Info("a")
		log.With("who", "x").Info("b")
		synctest.Wait()
		w.check(t)
		time.Sleep(logDelay)
		synctest.Wait()
		w.check(t, "a b who=x")

		log.Info("c")
		log.WithGroup("g").Warn("d")
		w.check(t, "c d")
		log.Debug("e")
		w.check(t, "e")
		time.Sleep(logDelay)
		synctest.Wait()
		w.check(t)

		log.Info("f")
		time.Sleep(logDelay / 2)
		log.Info("g")
		time.Sleep(logDelay / 2)
		synctest.Wait()
		w.check(t, "f g")

		for range logRecords {
			log.Info("h")
		}
		w.check(t, strings.TrimSpace(strings.Repeat("h ", logRecords)))

		log.Info("i")
		if err := late.Flush(); err != nil {
			t.Error(err)
		}
		w.check(t, "i")
	})
}
