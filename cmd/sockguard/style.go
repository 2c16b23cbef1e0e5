package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// style colours text for people. The zero value leaves it plain.
type style struct{ colour bool }

// styleOf returns how to write to w, and whether people read it there. NO_COLOR
// is honoured (no-color.org).
func styleOf(w io.Writer) (style, bool) {
	f, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	return style{terminal && os.Getenv("NO_COLOR") == ""}, terminal
}

func (s style) good(text string) string { return s.paint("32", text) }
func (s style) bad(text string) string  { return s.paint("31", text) }
func (s style) dim(text string) string  { return s.paint("2", text) }

func (s style) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
