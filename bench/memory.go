package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// A memoryPoint is how much memory a contender takes for some work, from the
// start of its process on.
type memoryPoint struct {
	Contender string        `json:"contender"`
	What      string        `json:"what"`
	Kind      string        `json:"kind"`
	Context   *buildContext `json:"context,omitempty"`
	Builds    int           `json:"builds,omitempty"` // at once
	Turns     int           `json:"turns,omitempty"`  // one after the other
	Bytes     int64         `json:"bytes"`
	Error     string        `json:"error,omitempty"`
}

// The kinds of a memoryPoint.
const (
	buildKind    = "builds"   // peak RSS
	requestsKind = "requests" // peak RSS
	idleKind     = "idle"     // growth of the RSS for one stream
)

// memory measures memory. Every point has a process of its own.
func (s *suite) memory() error {
	for _, size := range pick(s, []int64{mib, 64 * mib, gib}, []int64{mib, 16 * mib, 256 * mib, gib, 4 * gib, 16 * gib, 64 * gib}) {
		s.builds(buildContext{Shape: large, Size: size}, 1, 1, s.guards())
	}
	for _, size := range pick(s, []int64{mib, 128 * mib}, []int64{mib, 16 * mib, 128 * mib, gib, 4 * gib}) {
		s.builds(buildContext{Shape: large, Size: size}, 8, 1, s.guards())
	}
	s.builds(buildContext{Shape: large, Size: pick[int64](s, 256*mib, gib), Last: true}, 1, 1, s.guards())
	for _, files := range pick(s, []int64{30_000}, []int64{1000, 30_000, 1_000_000}) {
		s.builds(buildContext{Shape: small, Size: files * smallSize, Last: true}, 1, 1, s.guards())
	}
	for _, codec := range []string{"gzip", "zstd"} {
		for _, size := range pick(s, []int64{64 * mib}, []int64{mib, 64 * mib, 2 * gib}) {
			s.builds(buildContext{Shape: large, Size: size, Codec: codec}, 1, 1, s.guards())
		}
		s.builds(buildContext{Shape: large, Size: pick[int64](s, 64*mib, 256*mib), Codec: codec}, 8, 1, s.guards())
	}
	for _, codec := range []string{"", "gzip", "zstd"} {
		s.builds(buildContext{Shape: large, Size: 8 * mib, Codec: codec}, 1, pick(s, 10, 100), s.guards())
	}
	for _, c := range s.guards() {
		s.peakOfRequests(c)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, size := range pick(s, []int64{mib, 64 * mib}, []int64{mib, 16 * mib, 256 * mib, gib}) {
		s.builds(buildContext{Shape: large, Size: size}, 1, 1, []*contender{standIn(holdName, self, "memory"), standIn(spoolName, self, "disk")})
	}
	return nil
}

// builds measures the peak of each contender for so many builds at once, so many
// times in a row.
func (s *suite) builds(b buildContext, atOnce, turns int, all []*contender) {
	m := memoryPoint{What: b.String(), Kind: buildKind, Context: &b, Builds: atOnce, Turns: turns}
	if atOnce > 1 {
		m.What = fmt.Sprintf("%d at once of %s", atOnce, b)
	}
	if turns > 1 {
		m.What = fmt.Sprintf("%d in a row of %s", turns, b)
	}
	source := b.source()
	for _, c := range all {
		s.peak(m, c, func(p *process) error {
			errs := make([]error, atOnce)
			for range turns {
				var wg sync.WaitGroup
				for i := range errs {
					wg.Go(func() {
						if errs[i] == nil {
							_, errs[i] = b.build(p.socket, source, c.labels)
						}
					})
				}
				wg.Wait()
			}
			return errors.Join(errs...)
		})
	}
}

// peakOfRequests measures the peak after many clients have asked for some
// seconds.
func (s *suite) peakOfRequests(c *contender) {
	total, kinds := pick(s, 2*time.Second, 10*time.Second), requestKinds()
	m := memoryPoint{What: fmt.Sprintf("%d clients asking for %s", manyClients, total), Kind: requestsKind}
	s.peak(m, c, func(p *process) error {
		for _, kind := range kinds {
			l := load{clients: manyClients, path: kind.path, time: total / time.Duration(len(kinds))}
			if _, err := l.run(p.socket); err != nil {
				return err
			}
		}
		return nil
	})
}

// peak starts a contender, has it work and keeps its peak. An error is a result
// too.
func (s *suite) peak(m memoryPoint, c *contender, work func(*process) error) {
	if s.ctx.Err() != nil {
		return
	}
	m.Contender = c.name
	p, err := c.start(s.dir, s.mock.socket)
	if err == nil {
		defer p.stop()
		err = work(p)
	}
	if err == nil {
		m.Bytes, err = p.peakRSS()
	}
	s.keep(m, err)
}

func (s *suite) keep(m memoryPoint, err error) {
	if err != nil {
		m.Error = err.Error()
	}
	s.say("memory: %s, %s: %s", m.What, m.Contender, or(m.Error, bytesText(m.Bytes)))
	s.report.Memory = append(s.report.Memory, m)
}

// bytesText writes a size for people, in powers of 1024.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + " " + units[i]
}
