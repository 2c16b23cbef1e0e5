package main

import (
	"fmt"
	"math"
	"slices"
)

// A throughput is how fast contexts go through a contender.
type throughput struct {
	Contender string       `json:"contender"`
	Context   buildContext `json:"context"`
	MiBs      float64      `json:"mibPerSecond"` // median
	Ratio     float64      `json:"ratio"`        // to direct in the same round, median
	Guard     float64      `json:"guard"`        // sockguard's speed to this one in the same round, median
	CPU       float64      `json:"cpu"`          // seconds of the contender for a MiB, median
	EngineCPU float64      `json:"engineCpu"`    // of the engine for the same
	Error     string       `json:"error,omitempty"`
}

// throughput sends the same contexts through every contender, in turns.
func (s *suite) throughput() error {
	contexts := []buildContext{
		{Shape: "large", Size: pick[int64](s, 128*mib, gib)},
		{Shape: "small", Size: pick[int64](s, 32*mib, 256*mib)},
		{Shape: "large", Size: pick[int64](s, 32*mib, 256*mib), Codec: "gzip"},
		{Shape: "large", Size: pick[int64](s, 32*mib, 256*mib), Codec: "zstd"},
	}
	running, stop, err := s.startAll()
	if err != nil {
		return err
	}
	defer stop()
	for _, c := range contexts {
		times, cpus, engines := make([][]float64, len(running)), make([][]float64, len(running)), make([][]float64, len(running))
		errs := make([][]error, len(running))
		for round := range pick(s, 3, 5) {
			for turn := range running {
				i := (turn + round) % len(running)
				if s.ctx.Err() != nil {
					continue
				}
				cpu := s.cpuClock(running[i].process)
				took, err := sendMock(running[i].socket, c, 1, running[i].labels)
				own, engine := cpu()
				if err != nil {
					errs[i] = append(errs[i], err)
					times[i] = append(times[i], math.Inf(1))
					continue
				}
				times[i] = append(times[i], took.Seconds())
				cpus[i] = append(cpus[i], own.Seconds()*mib/float64(c.Size))
				engines[i] = append(engines[i], engine.Seconds()*mib/float64(c.Size))
			}
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		own := indexOfGuard(running)
		for i, r := range running {
			t := throughput{Contender: r.Name, Context: c}
			t.MiBs = float64(c.Size) / mib / median(times[i])
			t.Ratio = medianRatio(times[0], times[i])
			t.Guard = medianRatio(times[i], times[own])
			if len(cpus[i]) > 0 {
				t.CPU, t.EngineCPU = median(cpus[i]), median(engines[i])
			}
			s.say("throughput: %s, %s: %.2f of direct, %.0f MiB/s, CPU %.0f us and %.0f us of the engine for a MiB; sockguard has %.2f of its speed",
				r.Name, c, t.Ratio, t.MiBs, t.CPU*1e6, t.EngineCPU*1e6, t.Guard)
			if len(errs[i]) > 0 {
				t.Error = fmt.Sprintf("failed in %d of %d runs: %v", len(errs[i]), len(times[i]), errs[i][0])
				s.say("throughput: %s, %s: %s", r.Name, c, t.Error)
			}
			s.report.Throughput = append(s.report.Throughput, t)
		}
	}
	return nil
}

// A runner is a contender that runs.
type runner struct {
	*contender
	*process
}

// startAll starts every contender; the first one is the engine itself.
func (s *suite) startAll() (all []runner, stop func(), err error) {
	stop = func() {
		for _, r := range all {
			r.process.stop()
		}
	}
	for _, c := range s.rivals {
		p, err := c.start(s.dir, s.engine.socket)
		if err != nil {
			stop()
			return nil, nil, err
		}
		all = append(all, runner{c, p})
	}
	return all, stop, nil
}

func indexOfGuard(running []runner) int {
	return slices.IndexFunc(running, func(r runner) bool { return r.Name == guardName })
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

// medianRatio is the median of a[i]/b[i], 0 if most are not numbers.
func medianRatio(a, b []float64) float64 {
	var r []float64
	for i := range min(len(a), len(b)) {
		r = append(r, a[i]/b[i])
	}
	if m := median(r); !math.IsInf(m, 0) && !math.IsNaN(m) {
		return m
	}
	return 0
}
