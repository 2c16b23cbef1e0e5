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

// bars draws groups of bars; a value of 1 is the engine without a proxy.
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
	var groups []barGroup
	for _, t := range r.Throughput {
		if title := t.Context.String(); len(groups) == 0 || groups[len(groups)-1].title != title {
			groups = append(groups, barGroup{title: title})
		}
		g := &groups[len(groups)-1]
		g.bars = append(g.bars, bar{t.Contender, t.Ratio, or(t.Error, fmt.Sprintf("%.0f MiB/s", t.MiBs))})
	}
	return bars("Throughput of build contexts, relative to the engine's own socket", "only sockguard rewrites them; "+r.Machine.short(), groups)
}

func (r *report) requestsPlot() string {
	var groups []barGroup
	for _, q := range r.Requests {
		if title := fmt.Sprintf("%s, %d clients", q.Request, q.Clients); len(groups) == 0 || groups[len(groups)-1].title != title {
			groups = append(groups, barGroup{title: title})
		}
		g := &groups[len(groups)-1]
		g.bars = append(g.bars, bar{q.Contender, q.Ratio, or(q.Error, fmt.Sprintf("%.0f/s, p99 %.1f ms", q.Rate, q.P99*1e3))})
	}
	return bars("Rate of requests, relative to the engine's own socket", "closed loop; "+r.Machine.short(), groups)
}
