package main

import (
	"fmt"
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
	late := &lateWriter{w: os.Stderr}
	switch format {
	case "json":
		return slog.New(lateHandler{slog.NewJSONHandler(late, o), late}), late.Flush, nil
	case "text":
		return slog.New(lateHandler{slog.NewTextHandler(late, o), late}), late.Flush, nil
	}
	return nil, nil, fmt.Errorf("log-format %s: use text or json", format)
}
