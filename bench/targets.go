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
		if q.Contender == guardName {
			all = append(all, r.judgeRequest(q)...)
		}
	}
	return all
}

// worstMemory is the largest peak of sockguard for so many builds.
func (r *report) worstMemory(builds int) (worst int64, at string) {
	for _, m := range r.Memory {
		if m.Contender != guardName || m.Builds != builds {
			continue
		}
		if m.Error != "" {
			return math.MaxInt64, m.Context.String()
		}
		if m.Peak > worst {
			worst, at = m.Peak, m.Context.String()
			if m.Turns > 1 {
				at += fmt.Sprintf(", %d in a row", m.Turns)
			}
		}
	}
	return worst, at
}

func (r *report) judgeThroughput() (all []target) {
	for _, t := range r.Throughput {
		if t.Contender != guardName {
			continue
		}
		all = append(all, atLeast(fmt.Sprintf("0.65 of direct, %s", t.Context), t.Ratio, 0.65))
		least, name := math.Inf(1), ""
		for _, o := range r.Throughput {
			if o.Context == t.Context && !isOurs(o.Contender) && o.Guard > 0 && o.Guard < least {
				least, name = o.Guard, o.Contender
			}
		}
		if name != "" {
			all = append(all, atLeast(fmt.Sprintf("1.2 times the best other (%s), %s", name, t.Context), least, 1.2))
		}
	}
	return all
}

func (r *report) judgeRequest(q requestRate) (all []target) {
	what := fmt.Sprintf("%s, %d clients", q.Request, q.Clients)
	least, name := math.Inf(1), ""
	for _, o := range r.Requests {
		switch {
		case o.Request != q.Request || o.Clients != q.Clients || isOurs(o.Contender):
		case o.Contender == haproxyName:
			all = append(all, atLeast("1.3 times HAProxy, "+what, o.Guard, 1.3),
				target{"p99 no worse than HAProxy's, " + what, fmt.Sprintf("%.2f of it", o.GuardP99), o.GuardP99 <= 1})
		case o.Guard > 0 && o.Guard < least:
			least, name = o.Guard, o.Contender
		}
	}
	if name != "" {
		all = append(all, atLeast(fmt.Sprintf("2 times the best in Go (%s), %s", name, what), least, 2))
	}
	return all
}

// isOurs reports whether a contender is no other product.
func isOurs(contender string) bool {
	return contender == directName || contender == guardName || contender == besideName || contender == relayName
}

func atLeast(what string, got, want float64) target {
	return target{"at least " + what, fmt.Sprintf("%.2f", got), got >= want}
}
