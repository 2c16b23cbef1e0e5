package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// plotStyle makes a plot readable on light and on dark pages.
const plotStyle = `<style>
text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-size:15px;font-weight:600}.s{fill:#57606a}
.g{stroke:#d0d7de;stroke-width:1}.l{fill:none;stroke-width:2.5}.d{stroke-dasharray:6 4}
.c0{stroke:#0969da;fill:#0969da}.c1{stroke:#1a7f37;fill:#1a7f37}.c2{stroke:#bf8700;fill:#bf8700}.c3{stroke:#cf222e;fill:#cf222e}
.c4{stroke:#8250df;fill:#8250df}.c5{stroke:#57606a;fill:#57606a}.l{fill:none}text{stroke:none}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.g{stroke:#3d444d}.c0{stroke:#4493f8;fill:#4493f8}
.c1{stroke:#3fb950;fill:#3fb950}.c2{stroke:#d29922;fill:#d29922}.c3{stroke:#f85149;fill:#f85149}.c4{stroke:#ab7df8;fill:#ab7df8}
.c5{stroke:#9198a1;fill:#9198a1}.l{fill:none}}
</style>`

// An svg is a plot that is being drawn.
type svg struct{ strings.Builder }

func newSVG(width, height int, title, subtitle string) *svg {
	p := &svg{}
	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">%s`, width, height, html.EscapeString(title), plotStyle)
	p.text(16, 24, "t", "start", title)
	p.text(16, 42, "s", "start", subtitle)
	return p
}

func (p *svg) end() string {
	p.WriteString("</svg>\n")
	return p.String()
}

func (p *svg) text(x, y float64, class, anchor, text string) {
	fmt.Fprintf(p, "\n"+`<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, html.EscapeString(text))
}

func (p *svg) grid(x1, y1, x2, y2 float64) {
	fmt.Fprintf(p, "\n"+`<path class="g" d="M%.1f %.1fL%.1f %.1f"/>`, x1, y1, x2, y2)
}

// A series is a line of a plot.
type series struct {
	name   string
	class  string
	points [][2]float64
}

// logAxes are two logarithmic axes.
type logAxes struct {
	left, right, top, bottom float64 // on the page
	x0, x1, y0, y1           float64 // values at the ends
}

func (a logAxes) x(v float64) float64 {
	return a.left + (a.right-a.left)*math.Log(v/a.x0)/math.Log(a.x1/a.x0)
}

func (a logAxes) y(v float64) float64 {
	return a.bottom - (a.bottom-a.top)*math.Log(v/a.y0)/math.Log(a.y1/a.y0)
}

// memoryPlot draws peak memory against context size.
func (r *report) memoryPlot() string {
	const width, height = 760, 430
	p := newSVG(width, height, "Peak memory of a build through the guard, by size of its context", "RSS of the process, both axes logarithmic; "+r.Machine.short())
	a := logAxes{left: 76, right: 560, top: 60, bottom: 384, x0: mib, x1: 64 * gib, y0: 8 * mib, y1: 4 * gib}
	for v := a.x0; v <= a.x1; v *= 4 {
		p.grid(a.x(v), a.top, a.x(v), a.bottom)
		p.text(a.x(v), a.bottom+18, "s", "middle", bytesText(int64(v)))
	}
	for v := a.y0; v <= a.y1; v *= 2 {
		p.grid(a.left, a.y(v), a.right, a.y(v))
		p.text(a.left-8, a.y(v)+4, "s", "end", bytesText(int64(v)))
	}
	p.text((a.left+a.right)/2, a.bottom+38, "s", "middle", "size of each context")
	at := a.top + 8
	for _, s := range r.memorySeries() {
		if len(s.points) > 0 {
			p.line(a, s, at)
			at += 20
		}
	}
	return p.end()
}

// line draws a series, and its name on the right at a height.
func (p *svg) line(a logAxes, s series, at float64) {
	dot := func(x, y float64) {
		fmt.Fprintf(p, "\n"+`<circle class="%s" cx="%.1f" cy="%.1f" r="3"/>`, s.class, x, y)
	}
	var path []string
	for _, pt := range s.points {
		x, y := a.x(pt[0]), a.y(min(max(pt[1], a.y0), a.y1))
		path = append(path, fmt.Sprintf("%.1f %.1f", x, y))
		dot(x, y)
	}
	fmt.Fprintf(p, "\n"+`<path class="l %s" d="M%s"/>`, s.class, strings.Join(path, "L"))
	dot(a.right+14, at-4)
	p.text(a.right+24, at, "", "start", fmt.Sprintf("%s: %s", s.name, bytesText(int64(s.points[len(s.points)-1][1]))))
}

// memorySeries are the lines of the memory plot, of builds on the mock engine.
func (r *report) memorySeries() []series {
	of := func(contender string, builds int, shape, codec string) (points [][2]float64) {
		for _, m := range r.Memory {
			if m.Kind != buildKind || m.Error != "" || m.Contender != contender || m.Builds != builds || m.Turns > 1 {
				continue
			}
			if c := m.Context; c.Shape == shape && c.Codec == codec && c.Last == (shape == small) {
				points = append(points, [2]float64{float64(c.Size), float64(m.Bytes)})
			}
		}
		return points
	}
	spool := of(spoolName, 1, large, "")
	var disk [][2]float64
	for _, p := range spool {
		disk = append(disk, [2]float64{p[0], p[0]})
	}
	return []series{
		{guardName, "c0", of(guardName, 1, large, "")},
		{"small files", "c4", of(guardName, 1, small, "")},
		{"gzip", "c5", of(guardName, 1, large, "gzip")},
		{"8 at once", "c1", of(guardName, 8, large, "")},
		{spoolName, "c2", spool},
		{"and its disk", "c2 d", disk},
		{holdName, "c3", of(holdName, 1, large, "")},
	}
}
