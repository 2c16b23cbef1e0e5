package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// logDelay is how long a line of an allowed request may wait for others.
	logDelay = 100 * time.Millisecond

	// logBuffer is how many bytes of lines may wait.
	logBuffer = 16 << 10
)

// A lateHandler writes the lines of allowed requests a few at a time: a system
// call for each is a tenth of what a short request costs. Everything else, above
// all a refusal, is written at once, behind the lines that came before it.
type lateHandler struct {
	slog.Handler
	out *lateWriter // of Handler
}

// Handle writes one line.
func (h lateHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level != slog.LevelInfo {
		err = errors.Join(err, h.out.Flush())
	}
	return err
}

// WithAttrs returns a handler of lines with attrs.
func (h lateHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lateHandler{h.Handler.WithAttrs(attrs), h.out}
}

// WithGroup returns a handler of lines in a group.
func (h lateHandler) WithGroup(name string) slog.Handler {
	return lateHandler{h.Handler.WithGroup(name), h.out}
}

// A lateWriter writes to w at the latest logDelay after the first of the bytes.
type lateWriter struct {
	w io.Writer

	mu    sync.Mutex
	buf   []byte
	timer *time.Timer // nil until the first write; runs while buf has something
}

// Write takes p. An error is the last one of w's.
func (l *lateWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.timer == nil:
		l.timer = time.AfterFunc(logDelay, func() { l.Flush() })
	case len(l.buf) == 0:
		l.timer.Reset(logDelay)
	}
	l.buf = append(l.buf, p...)
	if len(l.buf) >= logBuffer {
		return len(p), l.flush()
	}
	return len(p), nil
}

// Flush writes what waits.
func (l *lateWriter) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

func (l *lateWriter) flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	l.timer.Stop()
	_, err := l.w.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}
