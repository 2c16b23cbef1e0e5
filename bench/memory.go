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
		s.peak(own, buildContext{Shape: "large", Size: size}, 1)
	}
	for _, size := range pick(s, []int64{mib, 128 * mib}, []int64{mib, 16 * mib, 128 * mib, gib, 4 * gib}) {
		s.peak(own, buildContext{Shape: "large", Size: size}, 8)
	}
	for _, size := range pick(s, []int64{mib, 256 * mib}, []int64{mib, 64 * mib, gib}) {
		s.peak(own, buildContext{Shape: "large", Size: size, Last: true}, 1)
	}
	for _, files := range pick(s, []int64{30_000}, []int64{1000, 30_000, 1_000_000}) {
		s.peak(own, buildContext{Shape: "small", Size: files * 4 << 10, Last: true}, 1)
	}
	for _, codec := range []string{"gzip", "zstd"} {
		for _, size := range pick(s, []int64{64 * mib}, []int64{mib, 64 * mib, 2 * gib}) {
			s.peak(own, buildContext{Shape: "large", Size: size, Codec: codec}, 1)
		}
		s.peak(own, buildContext{Shape: "large", Size: pick[int64](s, 64*mib, 256*mib), Codec: codec}, 8)
	}
	for _, size := range pick(s, []int64{mib, 64 * mib}, []int64{mib, 16 * mib, 256 * mib, gib}) {
		s.peak(standIn("buffer in memory", "memory"), buildContext{Shape: "large", Size: size}, 1)
		s.peak(standIn("spool to disk", "disk"), buildContext{Shape: "large", Size: size}, 1)
	}
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.realEngine()
}

// peak measures one point. An error is a result too.
func (s *suite) peak(c *contender, ctx buildContext, builds int) {
	if s.ctx.Err() != nil {
		return
	}
	m := memoryPoint{Contender: c.Name, Context: ctx, Builds: builds, Engine: "mock"}
	p, err := c.start(s.dir, s.engine.socket)
	if err == nil {
		defer p.stop()
		var took time.Duration
		if took, err = sendMock(p.socket, ctx, builds, c.labels); err == nil {
			m.Seconds = took.Seconds()
			m.Peak, err = peakRSS(p.pid())
		}
	}
	s.keep(m, err)
}

func (s *suite) keep(m memoryPoint, err error) {
	what := fmt.Sprintf("memory: %s, %d x %s", m.Contender, m.Builds, m.Context)
	if err != nil {
		m.Error = err.Error()
		s.say("%s: %v", what, err)
	} else {
		s.say("%s: peak %s", what, bytesText(m.Peak))
	}
	s.report.Memory = append(s.report.Memory, m)
}
