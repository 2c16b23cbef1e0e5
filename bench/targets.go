package main

import (
	"fmt"
	"math"
)

// A target is what a number ought to be, and whether it is.
type target struct {
	What string `json:"what"`
	Got  string `json:"got"`
	Met  bool   `json:"met"`
}

const (
	maxOneBuild    = 24 * mib
	maxEightBuilds = 40 * mib
)

// judge compares what was measured with the targets.
func (r *report) judge() (all []target) {
	for _, m := range []struct {
		builds int
		limit  int64
	}{{1, maxOneBuild}, {8, maxEightBuilds}} {
		if worst, at := r.worstMemory(m.builds); worst > 0 {
			all = append(all, target{
				fmt.Sprintf("at most %s with %d at once, at any size", bytesText(m.limit), m.builds),
				fmt.Sprintf("%s (%s)", bytesText(worst), at), worst <= m.limit,
			})
		}
	}
	all = append(all, r.judgeThroughput()...)
	for _, q := range r.Requests {
		if q.Contender == "sockguard" {
			all = append(all, r.judgeRequest(q)...)
		}
	}
	return all
}

// worstMemory is the largest peak of sockguard for so many builds.
func (r *report) worstMemory(builds int) (worst int64, at buildContext) {
	for _, m := range r.Memory {
		if m.Contender != "sockguard" || m.Builds != builds {
			continue
		}
		if m.Error != "" {
			return math.MaxInt64, m.Context
		}
		if m.Peak > worst {
			worst, at = m.Peak, m.Context
		}
	}
	return worst, at
}

func (r *report) judgeThroughput() (all []target) {
	for _, t := range r.Throughput {
		if t.Contender != "sockguard" {
			continue
		}
		all = append(all, atLeast(fmt.Sprintf("0.65 of direct, %s", t.Context), t.Ratio, 0.65))
		best, name := 0.0, ""
		for _, o := range r.Throughput {
			if o.Context == t.Context && o.Contender != "sockguard" && o.Contender != "direct" && o.Ratio > best {
				best, name = o.Ratio, o.Contender
			}
		}
		if best > 0 {
			all = append(all, atLeast(fmt.Sprintf("1.2 times the best other (%s), %s", name, t.Context), t.Ratio/best, 1.2))
		}
	}
	return all
}

func (r *report) judgeRequest(q requestRate) (all []target) {
	what := fmt.Sprintf("%s, %d clients", q.Request, q.Clients)
	best, name := 0.0, ""
	for _, o := range r.Requests {
		if o.Request != q.Request || o.Clients != q.Clients {
			continue
		}
		switch o.Contender {
		case "sockguard", "direct":
		case "HAProxy":
			all = append(all, atLeast("1.3 times HAProxy, "+what, q.Ratio/o.Ratio, 1.3),
				target{"p99 no worse than HAProxy's, " + what, fmt.Sprintf("%.0f us to %.0f us", q.P99*1e6, o.P99*1e6), q.P99 <= o.P99})
		default:
			if o.Ratio > best {
				best, name = o.Ratio, o.Contender
			}
		}
	}
	if best > 0 {
		all = append(all, atLeast(fmt.Sprintf("2 times the best in Go (%s), %s", name, what), q.Ratio/best, 2))
	}
	return all
}

func atLeast(what string, got, want float64) target {
	return target{"at least " + what, fmt.Sprintf("%.2f", got), got >= want}
}
