package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLogger logs to standard error, as text for people and as JSON for programs.
// Lines may wait until flush.
func newLogger(c *config, debug bool) (log *slog.Logger, flush func() error, err error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, nil, fmt.Errorf("log-level %s: use debug, info, warn or error", c.LogLevel)
	}
	if debug {
		level = slog.LevelDebug
	}
	o := &slog.HandlerOptions{Level: level}
	format := c.LogFormat
	if format == "" {
		format = "json"
		if term.IsTerminal(int(os.Stderr.Fd())) {
			format = "text"
		}
	}
	formats := map[string]func(io.Writer) slog.Handler{
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, o) },
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, o) },
	}
	if formats[format] == nil {
		return nil, nil, fmt.Errorf("log-format %s: use text or json", format)
	}
	handler, late := newLateLog(os.Stderr, formats[format])
	return slog.New(handler), late.Flush, nil
}
