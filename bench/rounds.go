package main

import (
	"fmt"
	"math"
	"slices"
)

// A line is how fast one contender did one kind of work.
type line struct {
	Contender string        `json:"contender"`
	What      string        `json:"what"`
	Context   *buildContext `json:"context,omitempty"` // of a build
	Unit      string        `json:"unit"`

	// Rate is in units per second. All medians are over the rounds, and the two
	// ratios are taken within a round.
	Rate      float64 `json:"rate"`          // median
	OfDirect  float64 `json:"ofDirect"`      // to the rate of direct, median
	Guard     float64 `json:"guard"`         // sockguard's rate to this one, median
	P50       float64 `json:"p50,omitempty"` // of single answers in seconds, median
	P99       float64 `json:"p99,omitempty"`
	CPU       float64 `json:"cpu"`       // seconds that the contender ran for a unit, median
	EngineCPU float64 `json:"engineCPU"` // the same of the engine
	Error     string  `json:"error,omitempty"`
}

// A sample is the work of one contender in one round.
type sample struct {
	units, seconds float64
	p50, p99       float64
	cpu, engineCPU float64 // seconds
}

func (s sample) rate() float64 { return s.units / s.seconds }

// compare has every contender do the same work in every round. Each round begins
// with another one. Many short rounds are better than a few long ones, because the
// speed of a machine changes by the second.
func (s *suite) compare(rounds int, like line, work func(runner) (sample, error)) ([]line, error) {
	all := s.rivals
	samples, failures := make([][]sample, len(all)), make([][]error, len(all))
	for round := range rounds {
		for turn := range all {
			if err := s.ctx.Err(); err != nil {
				return nil, err
			}
			i := (turn + round) % len(all)
			cpu, engineCPU := all[i].cpuSeconds(), s.mock.cpuSeconds()
			got, err := work(all[i])
			if err != nil {
				failures[i] = append(failures[i], err)
				got = sample{seconds: math.Inf(1)}
			}
			got.cpu, got.engineCPU = all[i].cpuSeconds()-cpu, s.mock.cpuSeconds()-engineCPU
			samples[i] = append(samples[i], got)
		}
	}
	own := slices.IndexFunc(all, func(r runner) bool { return r.name == guardName })
	var lines []line
	for i, r := range all {
		l := like
		l.Contender = r.name
		l.summarize(samples[i], samples[0], samples[own])
		if n := len(failures[i]); n > 0 {
			l.Error = fmt.Sprintf("failed in %d of %d rounds: %v", n, rounds, failures[i][0])
		}
		s.say("%s, %s: %s", l.What, l.Contender, l.text())
		lines = append(lines, l)
	}
	return lines, nil
}

// summarize takes the medians.
func (l *line) summarize(samples, direct, guard []sample) {
	l.Rate = medianOf(samples, sample.rate)
	l.OfDirect = medianRatio(samples, direct)
	l.Guard = medianRatio(guard, samples)
	l.P50 = medianOf(samples, func(s sample) float64 { return s.p50 })
	l.P99 = medianOf(samples, func(s sample) float64 { return s.p99 })
	l.CPU = medianOf(samples, func(s sample) float64 { return s.cpu / s.units })
	l.EngineCPU = medianOf(samples, func(s sample) float64 { return s.engineCPU / s.units })
}

func (l line) rateText() string { return fmt.Sprintf("%.0f %s/s", l.Rate, l.Unit) }

// text is the line for the progress on a terminal.
func (l line) text() string {
	if l.Error != "" {
		return or(l.Error, "")
	}
	return fmt.Sprintf("%.2f of direct, %s, CPU %.1f us; sockguard has %.2f of its rate", l.OfDirect, l.rateText(), l.CPU*1e6, l.Guard)
}

func medianOf(samples []sample, value func(sample) float64) float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, value(s))
	}
	return median(all)
}

func medianRatio(a, b []sample) float64 {
	var all []float64
	for i := range a {
		all = append(all, a[i].rate()/b[i].rate())
	}
	return median(all)
}

// median is 0 when most values are no numbers, as those of failures are.
func median(v []float64) float64 {
	slices.Sort(v)
	m := (v[len(v)/2] + v[(len(v)-1)/2]) / 2
	if math.IsInf(m, 0) || math.IsNaN(m) {
		return 0
	}
	return m
}
