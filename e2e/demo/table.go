package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"sockguard/e2e/engine"
)

// A printer writes to a terminal in colour and to anything else without.
type printer struct {
	w      io.Writer
	colour bool
}

func newPrinter(f *os.File) *printer {
	return &printer{f, term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""}
}

const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
)

func (p *printer) paint(colour, text string) string {
	if !p.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p *printer) line(text string)    { fmt.Fprintln(p.w, text) }
func (p *printer) command(text string) { p.line(p.paint(dim, "$ "+text)) }

const (
	stepWidth = 36
	kindWidth = 10
	madeWidth = 22
)

// table prints two builds of one Dockerfile beside each other. The first has
// steps that the second lacks.
func (p *printer) table(with, without []step) {
	head := fmt.Sprintf("  %-*s %-*s %-*s %s", stepWidth, "step", kindWidth, "made", madeWidth, "through sockguard", "without")
	p.line("\n" + p.paint(bold, head))
	p.line("  " + strings.Repeat("─", stepWidth+kindWidth+2*madeWidth+1))
	left, right := tally{}, tally{}
	for _, s := range with {
		var beside step
		added := len(without) == 0 || without[0].text != s.text
		if !added {
			beside, without = without[0], without[1:]
		}
		p.step(s, beside, added)
		left.add(s)
		right.add(beside)
	}
	p.line("  " + strings.Repeat("─", stepWidth+kindWidth+2*madeWidth+1))
	p.line(fmt.Sprintf("  %-*s %s %s", stepWidth+kindWidth+1, "owned by "+owner,
		p.paint(green, fmt.Sprintf("%-*s", madeWidth, left.String())), p.paint(red, right.String())))
	p.line("\n" + p.paint(dim, "+ written into the Dockerfile by sockguard, while the context passed by"))
	p.line(p.paint(dim, "  the label is "+engine.OwnerLabel+"="+owner) + "\n")
}

func (p *printer) step(s, beside step, added bool) {
	sign := "  "
	if added {
		sign = "+ "
	}
	text := strings.ReplaceAll(s.text, strings.TrimSuffix(engine.OwnerLabel, "owner"), "…")
	text = fmt.Sprintf("%s%-*s", sign, stepWidth, shorten(text, stepWidth))
	colour := "0"
	switch {
	case s.stage():
		colour = bold
	case added:
		colour = green
	}
	text = p.paint(colour, text)
	if s.container == nil && s.image == nil {
		p.line(strings.TrimRight(text, " "))
		return
	}
	row := func(kind string, a, b *engine.Made) {
		if a == nil && b == nil {
			return
		}
		p.line(strings.TrimRight(fmt.Sprintf("%s %-*s %s %s", text, kindWidth, kind, p.made(a), p.made(b)), " "))
		text = strings.Repeat(" ", stepWidth+2)
	}
	row("container", s.container, beside.container)
	row("image", s.image, beside.image)
}

func (p *printer) made(m *engine.Made) string {
	if m == nil {
		return strings.Repeat(" ", madeWidth)
	}
	who, colour := m.Labels[engine.OwnerLabel], green
	if who == "" {
		who, colour = "nobody", red
	}
	return p.paint(dim, m.ID[:12]) + " " + p.paint(colour, fmt.Sprintf("%-*s", madeWidth-13, who))
}

// A tally says of everything that a build made whether it has the owner's label.
type tally map[string]bool

func (t tally) add(s step) {
	for _, m := range []*engine.Made{s.container, s.image} {
		if m != nil {
			t[m.ID] = m.Labels[engine.OwnerLabel] == owner
		}
	}
}

func (t tally) String() string {
	owned := 0
	for _, yes := range t {
		if yes {
			owned++
		}
	}
	return fmt.Sprintf("%d of %d", owned, len(t))
}

func shorten(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}
