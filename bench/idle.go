package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// idle measures how much memory a contender takes for each attach that says
// nothing.
func (s *suite) idle(c *contender) {
	n := pick(s, 1000, 9000) // a proxy opens two files for each
	if c.streams > 0 {
		n = min(n, c.streams)
	}
	m := memoryPoint{Contender: c.name, What: fmt.Sprintf("%d idle attaches, each", n), Kind: idleKind}
	p, err := c.start(s.dir, s.mock.socket)
	if err == nil {
		defer p.stop()
		m.Bytes, err = idleBytes(p, n)
	}
	s.keep(m, err)
}

func idleBytes(p *process, n int) (int64, error) {
	before, err := p.currentRSS()
	if err != nil {
		return 0, err
	}
	conns, errs := make([]net.Conn, n), make([]error, 32)
	var wg sync.WaitGroup
	for worker := range errs {
		wg.Go(func() {
			for i := worker; i < n && errs[worker] == nil; i += len(errs) {
				conns[i], errs[worker] = attach(p.socket)
			}
		})
	}
	wg.Wait()
	after, err := p.currentRSS()
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
	return (after - before) / int64(n), errors.Join(append(errs, err)...)
}
