package main

import (
	"fmt"
	"time"
)

// A memoryPoint is the most memory that a contender took for some builds.
type memoryPoint struct {
	Contender string       `json:"contender"`
	Context   buildContext `json:"context"`
	Builds    int          `json:"builds"` // at once
	Turns     int          `json:"turns"`  // one after the other, through the same process
	Engine    string       `json:"engine"` // "mock" or "real"
	Peak      int64        `json:"peakRSS"`
	Seconds   float64      `json:"seconds"`
	Error     string       `json:"error,omitempty"`
}

const (
	mib = 1 << 20
	gib = 1 << 30
)

// memory measures peak memory against context size. Every point is a process
// of its own, from its start on.
func (s *suite) memory() error {
	own := guard(guardName, s.guard)
	for _, size := range pick(s, []int64{mib, 64 * mib, gib}, []int64{mib, 16 * mib, 256 * mib, gib, 4 * gib, 16 * gib, 64 * gib}) {
		s.peak(own, buildContext{Shape: "large", Size: size}, 1, 1)
	}
	for _, size := range pick(s, []int64{mib, 128 * mib}, []int64{mib, 16 * mib, 128 * mib, gib, 4 * gib}) {
		s.peak(own, buildContext{Shape: "large", Size: size}, 8, 1)
	}
	for _, size := range pick(s, []int64{mib, 256 * mib}, []int64{mib, 64 * mib, gib}) {
		s.peak(own, buildContext{Shape: "large", Size: size, Last: true}, 1, 1)
	}
	for _, files := range pick(s, []int64{30_000}, []int64{1000, 30_000, 1_000_000}) {
		s.peak(own, buildContext{Shape: "small", Size: files * 4 << 10, Last: true}, 1, 1)
	}
	for _, codec := range []string{"gzip", "zstd"} {
		for _, size := range pick(s, []int64{64 * mib}, []int64{mib, 64 * mib, 2 * gib}) {
			s.peak(own, buildContext{Shape: "large", Size: size, Codec: codec}, 1, 1)
		}
		s.peak(own, buildContext{Shape: "large", Size: pick[int64](s, 64*mib, 256*mib), Codec: codec}, 8, 1)
	}
	for _, codec := range []string{"", "gzip", "zstd"} {
		s.peak(own, buildContext{Shape: "large", Size: 8 * mib, Codec: codec}, 1, pick(s, 10, 100))
	}
	for _, size := range pick(s, []int64{mib, 64 * mib}, []int64{mib, 16 * mib, 256 * mib, gib}) {
		s.peak(standIn("buffer in memory", "memory"), buildContext{Shape: "large", Size: size}, 1, 1)
		s.peak(standIn("spool to disk", "disk"), buildContext{Shape: "large", Size: size}, 1, 1)
	}
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.realEngine()
}

// peak measures one point. An error is a result too.
func (s *suite) peak(c *contender, ctx buildContext, builds, turns int) {
	if s.ctx.Err() != nil {
		return
	}
	m := memoryPoint{Contender: c.Name, Context: ctx, Builds: builds, Turns: turns, Engine: "mock"}
	p, err := c.start(s.dir, s.engine.socket)
	if err == nil {
		defer p.stop()
		for range turns {
			if err == nil && s.ctx.Err() == nil {
				var took time.Duration
				took, err = sendMock(p.socket, ctx, builds, c.labels)
				m.Seconds += took.Seconds()
			}
		}
		if err == nil {
			m.Peak, err = peakRSS(p.pid())
		}
	}
	s.keep(m, err)
}

func (s *suite) keep(m memoryPoint, err error) {
	what := fmt.Sprintf("memory: %s, %d x %s, %d in a row", m.Contender, m.Builds, m.Context, m.Turns)
	if err != nil {
		m.Error = err.Error()
		s.say("%s: %v", what, err)
	} else {
		s.say("%s: peak %s", what, bytesText(m.Peak))
	}
	s.report.Memory = append(s.report.Memory, m)
}
