package main

import (
	"fmt"
	"io"
	"math"
	"net"
	"strings"
)

// relayName is a proxy that reads nothing of what goes through it: what a proxy
// in Go can come to at all. It is no rival, it lets everything through.
const relayName = "bare Go relay"

// runRelay copies the bytes of every connection both ways.
func runRelay(l net.Listener, engine string) error {
	for {
		client, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			upstream, err := net.Dial("unix", engine)
			if err != nil {
				return
			}
			defer upstream.Close()
			go func() {
				relay(upstream, client)
				upstream.(*net.UnixConn).CloseWrite()
			}()
			relay(client, upstream)
		}()
	}
}

func relay(dst io.Writer, src io.Reader) {
	io.CopyBuffer(onlyWriter{dst}, onlyReader{src}, make([]byte, 64<<10))
}

// A bound is what keeps sockguard from more.
type bound struct {
	what        string
	busy        float64 // processors that sockguard kept busy
	engineBusy  float64
	ofRelay     float64 // sockguard's speed to the relay's, 0 without a relay
	relayOfBest float64 // the relay's to that of the best other in Go
}

// bounds finds the bounds in what was measured.
func (r *report) bounds() (all []bound) {
	for _, t := range r.Throughput {
		if t.Contender != guardName {
			continue
		}
		b := bound{what: t.Context.String(), busy: t.CPU * t.MiBs, engineBusy: t.EngineCPU * t.MiBs}
		best := math.Inf(1)
		for _, o := range r.Throughput {
			if o.Context == t.Context {
				b.compare(o.Contender, o.Guard, &best)
			}
		}
		all = append(all, b.of(best))
	}
	for _, q := range r.Requests {
		if q.Contender != guardName {
			continue
		}
		b := bound{what: fmt.Sprintf("%s, %d clients", q.Request, q.Clients), busy: q.CPU * q.Rate, engineBusy: q.EngineCPU * q.Rate}
		best := math.Inf(1)
		for _, o := range r.Requests {
			if o.Request == q.Request && o.Clients == q.Clients {
				b.compare(o.Contender, o.Guard, &best)
			}
		}
		all = append(all, b.of(best))
	}
	return all
}

// compare takes sockguard's speed to that of a contender in.
func (b *bound) compare(contender string, guard float64, best *float64) {
	switch {
	case contender == relayName:
		b.ofRelay = guard
	case guard > 0 && !isOurs(contender) && contender != haproxyName:
		*best = min(*best, guard)
	}
}

func (b bound) of(best float64) bound {
	if b.ofRelay > 0 && !math.IsInf(best, 0) {
		b.relayOfBest = best / b.ofRelay
	}
	return b
}

const boundsText = `
One goroutine carries a build: where sockguard keeps about one processor busy and
the engine less, that goroutine is the bound, and with gzip and zstd most of its
time is decompression. Where sockguard and the engine together keep the machine's
processors busy, their work is, half of which is system calls: a bare Go relay makes
hardly fewer and understands nothing of what it passes on. sockguard's speed to the
relay's is how near it is to what Go can do, and the relay's to that of the best
other proxy in Go is the most that sockguard could be ahead of it.
`

func (r *report) boundsTable(b *strings.Builder) {
	table(b, "What bounds sockguard", "What|Processors that it keeps busy|The engine|Of the relay's speed|The relay, of the best other in Go", r.bounds(), func(o bound) string {
		return fmt.Sprintf("%s|%.2f|%.2f|%.2f|%.2f", o.what, o.busy, o.engineBusy, o.ofRelay, o.relayOfBest)
	})
	if len(r.Throughput)+len(r.Requests) > 0 {
		b.WriteString(boundsText)
	}
}
