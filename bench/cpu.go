package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// cpuTime is how long the threads of a process have run. Unlike rates it does
// not depend on what else the machine does; /proc/PID/stat would count in ticks of
// 10 ms. It is 0 when there is no process.
func (p *process) cpuTime() (sum time.Duration) {
	if p.cmd == nil {
		return 0
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.pid()))
	if err != nil {
		panic(err) // the pattern is right
	}
	for _, t := range threads {
		text, err := os.ReadFile(t)
		if err != nil {
			continue // the thread has ended
		}
		var ran int64 // nanoseconds
		fmt.Sscan(string(text), &ran)
		sum += time.Duration(ran)
	}
	return sum
}

// cpuClock returns a function that tells how long a contender and the engine
// behind it have run since.
func (s *suite) cpuClock(p *process) func() (own, engine time.Duration) {
	own, engine := p.cpuTime(), s.engine.cpuTime()
	return func() (time.Duration, time.Duration) { return p.cpuTime() - own, s.engine.cpuTime() - engine }
}
