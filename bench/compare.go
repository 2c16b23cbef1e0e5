package main

import (
	"fmt"
	"strings"
)

// A change is one figure of sockguard's in two runs. Both are ratios within
// their run, or memory.
type change struct{ what, then, now string }

// since lists how sockguard's figures have changed since an earlier run.
func (r *report) since(then *report) string {
	var all []change
	was := then.figures()
	for _, f := range r.figures() {
		for _, w := range was {
			if w.what == f.what {
				all = append(all, change{f.what, w.now, f.now})
			}
		}
	}
	var b strings.Builder
	table(&b, fmt.Sprintf("Since %s", then.Machine), "sockguard|Then|Now", all, func(c change) string {
		return c.what + "|" + c.then + "|" + c.now
	})
	return b.String()
}

// figures are what one run says of sockguard, in the order of the report.
func (r *report) figures() (all []change) {
	add := func(what, format string, args ...any) {
		all = append(all, change{what: what, now: fmt.Sprintf(format, args...)})
	}
	for _, builds := range []int{1, 8} {
		if worst, at := r.worstMemory(builds); worst > 0 {
			add(fmt.Sprintf("most memory, %d at once", builds), "%s (%s)", bytesText(worst), at)
		}
	}
	for _, t := range r.Throughput {
		if t.Contender == guardName {
			add(t.Context.String(), "%.2f of direct%s", t.Ratio, t.versus(r))
		}
	}
	for _, q := range r.Requests {
		if q.Contender == guardName {
			add(fmt.Sprintf("%s, %d clients", q.Request, q.Clients), "%.2f of direct%s", q.Ratio, q.versus(r))
		}
	}
	for _, s := range r.Streams {
		if s.Contender == guardName {
			add("echo", "%.2f of direct", s.Ratio)
			add("an idle attach", "%s", bytesText(s.IdleEach))
		}
	}
	return all
}

// versus compares with HAProxy in the same run, where it was measured.
func (t throughput) versus(r *report) string {
	for _, o := range r.Throughput {
		if o.Contender == haproxyName && o.Context == t.Context && o.Guard > 0 {
			return fmt.Sprintf(", %.2f of HAProxy", o.Guard)
		}
	}
	return ""
}

func (q requestRate) versus(r *report) string {
	for _, o := range r.Requests {
		if o.Contender == haproxyName && o.Request == q.Request && o.Clients == q.Clients && o.Guard > 0 {
			return fmt.Sprintf(", %.2f of HAProxy", o.Guard)
		}
	}
	return ""
}
