package config

import (
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// logger logs to standard error, as text for people and as JSON for programs.
func (c *Config) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("log-level %s: use debug, info, warn or error", c.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	format := c.LogFormat
	if format == "" && term.IsTerminal(int(os.Stderr.Fd())) {
		format = "text"
	}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, options)), nil
	case "json", "":
		return slog.New(slog.NewJSONHandler(os.Stderr, options)), nil
	}
	return nil, fmt.Errorf("log-format %s: use text or json", format)
}
