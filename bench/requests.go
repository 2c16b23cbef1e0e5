package main

import (
	"time"
)

// A requestRate is how many requests go through a contender.
type requestRate struct {
	Contender string  `json:"contender"`
	Request   string  `json:"request"`
	Clients   int     `json:"clients"`
	Rate      float64 `json:"rate"`     // requests per second, median
	Ratio     float64 `json:"ratio"`    // to direct in the same round, median
	Guard     float64 `json:"guard"`    // sockguard's rate to this one in the same round, median
	GuardP99  float64 `json:"guardP99"` // the same of P99
	P50       float64 `json:"p50"`      // seconds, median
	P99       float64 `json:"p99"`
	CPU       float64 `json:"cpu"`       // seconds of the contender for a request, median
	EngineCPU float64 `json:"engineCpu"` // of the engine for the same
	Error     string  `json:"error,omitempty"`
}

// requests loads every contender with the same requests, in turns.
func (s *suite) requests() error {
	running, stop, err := s.startAll()
	if err != nil {
		return err
	}
	defer stop()
	kinds := []struct{ name, path string }{
		{"ping", "/_ping"},
		{"list", "/v1.41/containers/json"},
		{"inspect by ID", "/v1.41/containers/" + containerID + "/json"},
		{"inspect by name", "/v1.41/containers/" + containerName + "/json"},
	}
	for _, kind := range kinds {
		for _, clients := range []int{10, 64} {
			l := load{clients: clients, request: getRequest(kind.path), time: pick(s, 100*time.Millisecond, 250*time.Millisecond)}
			if err := s.loadAll(running, l, kind.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadAll runs one load on every contender in turns: many short ones, because the
// machine is slower and faster by the second.
func (s *suite) loadAll(running []runner, l load, name string) error {
	results := make([][]loadResult, len(running))
	for round := range pick(s, 3, 11) {
		for turn := range running {
			i := (turn + round) % len(running)
			l.socket = running[i].socket
			cpu := s.cpuClock(running[i].process)
			r := l.run()
			own, engine := cpu()
			if n := r.Rate * l.time.Seconds(); n > 0 {
				r.CPU, r.EngineCPU = own.Seconds()/n, engine.Seconds()/n
			}
			results[i] = append(results[i], r)
			if err := s.ctx.Err(); err != nil {
				return err
			}
		}
	}
	rates, tails := make([][]float64, len(running)), make([][]float64, len(running))
	for i := range running {
		rates[i] = each(results[i], func(r loadResult) float64 { return r.Rate })
		tails[i] = each(results[i], func(r loadResult) float64 { return r.P99 })
	}
	own := indexOfGuard(running)
	for i, r := range running {
		q := requestRate{
			Contender: r.Name, Request: name, Clients: l.clients,
			Rate:     median(rates[i]),
			Ratio:    medianRatio(rates[i], rates[0]),
			Guard:    medianRatio(rates[own], rates[i]),
			GuardP99: medianRatio(tails[own], tails[i]),
			P50:      median(each(results[i], func(r loadResult) float64 { return r.P50 })),
			P99:      median(tails[i]),

			CPU:       median(each(results[i], func(r loadResult) float64 { return r.CPU })),
			EngineCPU: median(each(results[i], func(r loadResult) float64 { return r.EngineCPU })),
		}
		for _, r := range results[i] {
			if r.Error != "" {
				q.Error = r.Error
			}
		}
		s.say("requests: %s, %s, %d clients: %.2f of direct, %.0f/s, p50 %.0f us, p99 %.0f us, CPU %.0f us and %.0f us of the engine; sockguard has %.2f of its rate, %.2f of its p99 %s",
			r.Name, name, l.clients, q.Ratio, q.Rate, q.P50*1e6, q.P99*1e6, q.CPU*1e6, q.EngineCPU*1e6, q.Guard, q.GuardP99, q.Error)
		s.report.Requests = append(s.report.Requests, q)
	}
	return nil
}

func each[T any](all []T, value func(T) float64) (v []float64) {
	for _, x := range all {
		v = append(v, value(x))
	}
	return v
}
