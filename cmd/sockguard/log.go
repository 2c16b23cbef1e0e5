package main

import (
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// newLogger logs to standard error, as text for people and as JSON for programs.
func newLogger(c *config, debug bool) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("log-level %s: use debug, info, warn or error", c.LogLevel)
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
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, o)), nil
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, o)), nil
	}
	return nil, fmt.Errorf("log-format %s: use text or json", c.LogFormat)
}
