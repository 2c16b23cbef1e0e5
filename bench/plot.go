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
	var taken []float64
	for _, s := range r.memorySeries() {
		if len(s.points) > 0 {
			p.line(a, s, &taken)
		}
	}
	return p.end()
}

// line draws a series and names it on the right, where no other name is.
func (p *svg) line(a logAxes, s series, taken *[]float64) {
	var path []string
	var x, y float64
	for _, pt := range s.points {
		if pt[1] < a.y0 {
			continue
		}
		x, y = a.x(pt[0]), a.y(min(pt[1], a.y1))
		path = append(path, fmt.Sprintf("%.1f %.1f", x, y))
		fmt.Fprintf(p, "\n"+`<circle class="%s" cx="%.1f" cy="%.1f" r="3"/>`, s.class, x, y)
	}
	fmt.Fprintf(p, "\n"+`<path class="l %s" d="M%s"/>`, s.class, strings.Join(path, "L"))
	at := freeLine(taken, y)
	p.grid(x+5, y, a.right+8, at-4)
	p.text(a.right+12, at, "", "start", fmt.Sprintf("%s: %s", s.name, bytesText(int64(s.points[len(s.points)-1][1]))))
}

// freeLine returns a height near y that no other label has.
func freeLine(taken *[]float64, y float64) float64 {
	for {
		free := true
		for _, t := range *taken {
			if math.Abs(t-y) < 15 {
				y, free = t-15, false
			}
		}
		if free {
			*taken = append(*taken, y)
			return y
		}
	}
}

func (r *report) memorySeries() []series {
	pick := func(name, class string, wanted func(memoryPoint) bool) series {
		s := series{name: name, class: class}
		for _, m := range r.Memory {
			if m.Error == "" && m.Engine == "mock" && wanted(m) {
				s.points = append(s.points, [2]float64{float64(m.Context.Size), float64(m.Peak)})
			}
		}
		return s
	}
	own := func(builds int, shape, codec string) func(memoryPoint) bool {
		return func(m memoryPoint) bool {
			return m.Contender == guardName && m.Turns <= 1 && m.Builds == builds && m.Context.Shape == shape && m.Context.Codec == codec &&
				m.Context.Last == (shape == "small")
		}
	}
	is := func(name string) func(memoryPoint) bool {
		return func(m memoryPoint) bool { return m.Contender == name }
	}
	spool := pick("spool to disk", "c2", is("spool to disk"))
	disk := series{name: "and its disk", class: "c2 d"}
	for _, pt := range spool.points {
		disk.points = append(disk.points, [2]float64{pt[0], pt[0]})
	}
	return []series{
		pick(guardName, "c0", own(1, "large", "")),
		pick("small files", "c4", own(1, "small", "")),
		pick("gzip", "c5", own(1, "large", "gzip")),
		pick("8 at once", "c1", own(8, "large", "")),
		spool, disk,
		pick("buffer in memory", "c3", is("buffer in memory")),
	}
}

func (m machine) short() string { return fmt.Sprintf("%d CPUs, %s, %s", m.CPUs, m.CPU, m.Date) }
