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

// patience is how long a server may take to answer, or to take what is sent.
const patience = 10 * time.Second

// A load is clients that each send the next request when they have the answer to
// the last one.
type load struct {
	clients int
	path    string
	time    time.Duration
}

// run runs the load. The first request of each client, for which a proxy may have
// to dial, is not counted.
func (l load) run(socket string) (sample, error) {
	clients := make([]*client, l.clients)
	for i := range clients {
		c, err := dialClient(socket)
		if err != nil {
			return sample{}, err
		}
		defer c.Close()
		if err := c.get(l.path); err != nil {
			return sample{}, err
		}
		clients[i] = c
	}
	times, errs := make([][]time.Duration, l.clients), make([]error, l.clients)
	var wg sync.WaitGroup
	begin := time.Now()
	for i, c := range clients {
		wg.Go(func() { times[i], errs[i] = c.repeat(l.path, begin.Add(l.time)) })
	}
	wg.Wait()
	took := time.Since(begin)
	for _, err := range errs {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // without the path of the socket
		}
		if err != nil {
			return sample{}, fmt.Errorf("after the first answer of a connection: %w", err)
		}
	}
	all := slices.Sorted(slices.Values(slices.Concat(times...)))
	return sample{
		units: float64(len(all)), seconds: took.Seconds(),
		p50: all[len(all)/2].Seconds(), p99: all[len(all)*99/100].Seconds(),
	}, nil
}

// A client makes requests without a body over one connection. It has little code
// because it shares the processors with what is measured.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dialClient(socket string) (*client, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	return &client{conn, bufio.NewReaderSize(conn, 16<<10)}, nil
}

// repeat asks at least once, until the time is over, and returns how long each
// answer took.
func (c *client) repeat(path string, end time.Time) (times []time.Duration, err error) {
	for sent := time.Now(); len(times) == 0 || sent.Before(end); {
		if err := c.get(path); err != nil {
			return nil, err
		}
		now := time.Now()
		times = append(times, now.Sub(sent))
		sent = now
	}
	return times, nil
}

// get makes one request. The answer must be a 200.
func (c *client) get(path string) error {
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answer %q", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
