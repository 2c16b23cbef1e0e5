package main

import (
	"fmt"
	"io"
	"math"
	"net"
	"strings"
)

// relayName is a proxy that understands nothing of what goes through it: what a
// proxy in Go can come to with requests. It is no rival, it lets everything through.
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
	what       string
	busy       float64 // processors that sockguard kept busy
	engineBusy float64
	relay      string // sockguard's rate to the relay's, and the relay's to the best other in Go
}

// bounds finds the bounds in what was measured.
func (r *report) bounds() (all []bound) {
	for _, t := range r.Throughput {
		if t.Contender == guardName {
			// A relay is none: it leaves it to the engine to decompress.
			all = append(all, bound{t.Context.String(), t.CPU * t.MiBs, t.EngineCPU * t.MiBs, "|"})
		}
	}
	for _, q := range r.Requests {
		if q.Contender == guardName {
			what := fmt.Sprintf("%s, %d clients", q.Request, q.Clients)
			all = append(all, bound{what, q.CPU * q.Rate, q.EngineCPU * q.Rate, r.relayBound(q)})
		}
	}
	return all
}

// relayBound compares with the relay, where it was measured.
func (r *report) relayBound(q requestRate) string {
	ofRelay, ofBest := 0.0, math.Inf(1)
	for _, o := range r.Requests {
		switch {
		case o.Request != q.Request || o.Clients != q.Clients || o.Guard == 0 || o.Contender == haproxyName:
		case o.Contender == relayName:
			ofRelay = o.Guard
		case !isOurs(o.Contender):
			ofBest = min(ofBest, o.Guard)
		}
	}
	if ofRelay == 0 || math.IsInf(ofBest, 1) {
		return "|"
	}
	return fmt.Sprintf("%.2f|%.2f", ofRelay, ofBest/ofRelay)
}

const boundsText = `
One goroutine carries a build: where sockguard keeps about one processor busy and
the engine less, that goroutine is the bound, and with gzip and zstd most of its
time is decompression, which the engine does when nobody rewrites. Elsewhere it is
what sockguard and the engine do together, with the load itself and the hand-offs
between the three. For requests a bare Go relay makes the same system calls and
understands nothing of what it passes on: sockguard's rate to the relay's is how
near it is to what Go can do, and the relay's to that of the best other proxy in Go
is the most that sockguard could be ahead of it.
`

func (r *report) boundsTable(b *strings.Builder) {
	bounds := r.bounds()
	table(b, "What bounds sockguard", "What|Processors that it keeps busy|The engine|Of the relay's rate|The relay, of the best other in Go", bounds, func(o bound) string {
		return fmt.Sprintf("%s|%.2f|%.2f|%s", o.what, o.busy, o.engineBusy, o.relay)
	})
	if len(bounds) > 0 {
		b.WriteString(boundsText)
	}
}
