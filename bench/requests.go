package main

import (
	"fmt"
	"time"
)

// requestKinds are the requests that the benchmarks repeat.
func requestKinds() []struct{ name, path string } {
	return []struct{ name, path string }{
		{"ping", "/_ping"},
		{"list", "/v1.41/containers/json"},
		{"inspect by ID", "/v1.41/containers/" + containerID + "/json"},
		{"inspect by name", "/v1.41/containers/" + containerName + "/json"},
	}
}

// manyClients is the larger number of clients that ask at once.
const manyClients = 64

// requests measures how many requests a second go through each contender.
func (s *suite) requests() error {
	for _, kind := range requestKinds() {
		for _, clients := range []int{10, manyClients} {
			like := line{What: fmt.Sprintf("%s, %d clients", kind.name, clients), Unit: "requests"}
			l := load{clients: clients, path: kind.path, time: pick(s, 100*time.Millisecond, 250*time.Millisecond)}
			lines, err := s.compare(pick(s, 3, 11), like, func(r runner) (sample, error) { return l.run(r.socket) })
			if err != nil {
				return err
			}
			s.report.Requests = append(s.report.Requests, lines...)
		}
	}
	return nil
}
