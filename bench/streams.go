package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A stream is how a contender carries hijacked connections.
type stream struct {
	Contender string  `json:"contender"`
	MiBs      float64 `json:"mibPerSecond,omitempty"` // echoed, median
	Ratio     float64 `json:"ratio,omitempty"`        // to direct in the same round, median
	P50       float64 `json:"p50,omitempty"`          // of one byte there and back, seconds
	P99       float64 `json:"p99,omitempty"`
	Idle      int     `json:"idle,omitempty"` // attaches that say nothing
	IdleEach  int64   `json:"idleBytesEach,omitempty"`
	Error     string  `json:"error,omitempty"`
}

// execRequest starts the exec that echoes, attachRequest attaches for ever.
var (
	execRequest   = hijackRequest("/v1.41/exec/"+execID+"/start", `{"Detach":false,"Tty":true}`)
	attachRequest = hijackRequest("/v1.41/containers/"+containerID+"/attach?stream=1&stdin=1&stdout=1", "")
)

func hijackRequest(path, body string) []byte {
	head := "POST " + path + " HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
	if body != "" {
		head += "Content-Type: application/json\r\n"
	}
	return fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// hijack starts a stream.
func hijack(socket string, request []byte) (net.Conn, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err = c.Write(request); err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			err = upgraded(resp) // an echo says nothing before it is told
		}
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func upgraded(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusSwitchingProtocols:
		return nil
	case http.StatusOK:
		return errors.New("the request came to the engine without its Upgrade: what the client says is not passed on")
	}
	return fmt.Errorf("answer %q", resp.Status)
}

// streams measures exec echo in turns, then idle attaches one after the other.
func (s *suite) streams() error {
	running, stop, err := s.startAll()
	if err != nil {
		return err
	}
	results := make([]stream, len(running))
	speeds := make([][]float64, len(running))
	trips := make([][]float64, len(running))
	errs := make([]error, len(running))
	for round := range pick(s, 3, 7) {
		for turn := range running {
			i := (turn + round) % len(running)
			speed, err := echoSpeed(running[i].socket, pick[int64](s, 64*mib, 256*mib))
			trip, err2 := echoTrips(running[i].socket, pick(s, 2000, 5000))
			if err := errors.Join(err, err2); err != nil {
				errs[i] = err
				continue
			}
			speeds[i] = append(speeds[i], speed)
			trips[i] = append(trips[i], trip...)
		}
	}
	stop()
	for i, r := range running {
		results[i].Contender = r.Name
		if errs[i] != nil {
			results[i].Error = errs[i].Error()
			s.say("streams: %s: %v", r.Name, errs[i])
			continue
		}
		slices.Sort(trips[i])
		results[i].MiBs, results[i].Ratio = median(speeds[i]), medianRatio(speeds[i], speeds[0])
		results[i].P50, results[i].P99 = trips[i][len(trips[i])/2], trips[i][len(trips[i])*99/100]
		s.say("streams: %s: %.2f of direct, %.0f MiB/s, p50 %.0f us, p99 %.0f us",
			r.Name, results[i].Ratio, results[i].MiBs, results[i].P50*1e6, results[i].P99*1e6)
	}
	for i, r := range running {
		if i > 0 && s.ctx.Err() == nil {
			s.idle(r.contender, &results[i])
		}
	}
	s.report.Streams = results
	return s.ctx.Err()
}

// echoSpeed sends size bytes to an echo and reads them back, in MiB per second.
func echoSpeed(socket string, size int64) (float64, error) {
	c, err := hijack(socket, execRequest)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	begin := time.Now()
	go func() {
		for sent := int64(0); sent < size; sent += chunkSize {
			if _, err := c.Write(payload[:chunkSize]); err != nil {
				return
			}
		}
	}()
	if _, err := io.CopyBuffer(onlyWriter{io.Discard}, io.LimitReader(c, size), make([]byte, 256<<10)); err != nil {
		return 0, err
	}
	return float64(size) / mib / time.Since(begin).Seconds(), nil
}

// echoTrips sends one byte at a time and returns how long each was away.
func echoTrips(socket string, n int) ([]float64, error) {
	c, err := hijack(socket, execRequest)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	b := make([]byte, 1)
	times := make([]float64, n)
	for i := range times {
		begin := time.Now()
		if _, err := c.Write(b); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return nil, err
		}
		times[i] = time.Since(begin).Seconds()
	}
	return times, nil
}

// idle opens many attaches that say nothing and measures what each takes.
func (s *suite) idle(c *contender, result *stream) {
	n := min(pick(s, 1000, 10_000), mostStreams())
	if c.limit > 0 {
		n = min(n, c.limit)
	}
	p, err := c.start(s.dir, s.engine.socket)
	if err != nil {
		result.Error = err.Error()
		return
	}
	defer p.stop()
	before, _ := currentRSS(p.pid())
	conns := make([]net.Conn, n)
	errs := make([]error, 32)
	var wg sync.WaitGroup
	for worker := range errs {
		wg.Go(func() {
			for i := worker; i < n && errs[worker] == nil; i += len(errs) {
				conns[i], errs[worker] = hijack(p.socket, attachRequest)
			}
		})
	}
	wg.Wait()
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}()
	after, err := currentRSS(p.pid())
	if err := errors.Join(append(errs, err)...); err != nil {
		result.Error = err.Error()
		s.say("streams: %s, %d idle attaches: %v", c.Name, n, err)
		return
	}
	result.Idle, result.IdleEach = n, (after-before)/int64(n)
	s.say("streams: %s, %d idle attaches: %s each", c.Name, n, bytesText(result.IdleEach))
}
