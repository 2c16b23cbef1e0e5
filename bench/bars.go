package main

import "fmt"

// A bar is one bar of a plot.
type bar struct {
	name  string
	value float64
	note  string
}

// A barGroup is bars that are compared with each other.
type barGroup struct {
	title string
	bars  []bar
}

// bars draws groups of bars. A value of 1 is the rate of the engine's own socket.
func bars(title, subtitle string, groups []barGroup) string {
	const width, left, right, step = 760, 190, 560, 19
	height := 60
	for _, g := range groups {
		height += 30 + step*len(g.bars)
	}
	p := newSVG(width, height, title, subtitle)
	y := 60.0
	for _, g := range groups {
		largest := 1.0
		for _, b := range g.bars {
			largest = max(largest, b.value)
		}
		y += 16
		p.text(16, y, "", "start", g.title)
		y += 6
		for _, b := range g.bars {
			class := "c5"
			if b.name == guardName {
				class = "c0"
			}
			p.text(left-8, y+12, "s", "end", b.name)
			fmt.Fprintf(p, "\n"+`<rect class="%s" x="%d" y="%.1f" width="%.1f" height="%d" stroke="none"/>`, class, left, y+2, (right-left)*b.value/largest, step-6)
			p.text(left+8+(right-left)*b.value/largest, y+12, "s", "start", fmt.Sprintf("%.2f  %s", b.value, b.note))
			y += step
		}
		y += 8
	}
	return p.end()
}

func (r *report) throughputPlot() string {
	return bars("Throughput of build contexts, relative to the engine's own socket", "only sockguard rewrites them; "+r.Machine.short(), barGroups(r.Contexts))
}

func (r *report) requestsPlot() string {
	return bars("Rate of requests, relative to the engine's own socket", "each client waits for its answer; "+r.Machine.short(), barGroups(r.Requests))
}

// barGroups groups neighbouring lines of the same work.
func barGroups(lines []line) (groups []barGroup) {
	for _, l := range lines {
		if len(groups) == 0 || groups[len(groups)-1].title != l.What {
			groups = append(groups, barGroup{title: l.What})
		}
		note := l.rateText()
		if l.P99 > 0 {
			note += fmt.Sprintf(", p99 %.1f ms", l.P99*1e3)
		}
		if l.Error != "" {
			note = "failed"
		}
		g := &groups[len(groups)-1]
		g.bars = append(g.bars, bar{l.Contender, l.OfDirect, note})
	}
	return groups
}
