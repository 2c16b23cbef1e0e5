package main

import (
	"bytes"
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

	// logRecords is how many lines may wait.
	logRecords = 64
)

// A lateHandler formats and writes the lines of allowed requests many at a time:
// one after the other they take a tenth of what a short request costs. Everything
// else, above all a refusal, is written at once, behind the lines that came
// before it.
type lateHandler struct {
	slog.Handler
	late *lateLog // what Handler writes to
}

// Handle takes one line. An error may be that of a line before it.
func (h lateHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.late.add(lateRecord{h.Handler, r})
}

// WithAttrs returns a handler of lines with attrs.
func (h lateHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lateHandler{h.Handler.WithAttrs(attrs), h.late}
}

// WithGroup returns a handler of lines in a group.
func (h lateHandler) WithGroup(name string) slog.Handler {
	return lateHandler{h.Handler.WithGroup(name), h.late}
}

// A lateLog holds lines at the latest until logDelay after the first of them.
type lateLog struct {
	mu      sync.Mutex
	w       io.Writer
	text    bytes.Buffer // what the handlers write to, under mu
	waiting []lateRecord
	timer   *time.Timer // nil until the first line; runs while lines wait
}

type lateRecord struct {
	handler slog.Handler
	record  slog.Record
}

// newLateLog returns a log of lines that options format in a format.
func newLateLog(w io.Writer, format func(io.Writer) slog.Handler) (lateHandler, *lateLog) {
	l := &lateLog{w: w, waiting: make([]lateRecord, 0, logRecords)}
	return lateHandler{format(&l.text), l}, l
}

func (l *lateLog) add(r lateRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.timer == nil:
		l.timer = time.AfterFunc(logDelay, func() { l.Flush() })
	case len(l.waiting) == 0:
		l.timer.Reset(logDelay)
	}
	l.waiting = append(l.waiting, r)
	if r.record.Level != slog.LevelInfo || len(l.waiting) == logRecords {
		return l.flush()
	}
	return nil
}

// Flush writes what waits.
func (l *lateLog) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

func (l *lateLog) flush() (err error) {
	if len(l.waiting) == 0 {
		return nil
	}
	l.timer.Stop()
	for _, r := range l.waiting {
		err = errors.Join(err, r.handler.Handle(context.Background(), r.record))
	}
	clear(l.waiting)
	l.waiting = l.waiting[:0]
	_, werr := l.w.Write(l.text.Bytes())
	l.text.Reset()
	return errors.Join(err, werr)
}
