package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// loadBuffer takes a whole answer.
const loadBuffer = 64 << 10

// getRequest is a request without a body, as bytes.
func getRequest(path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n\r\n")
}

// A load is a closed loop: every client sends its next request as soon as it has
// the answer to the last. One goroutine is all the clients, with two system calls
// for a request, because their work is not what is measured, and shares the
// processors with what is.
type load struct {
	socket  string
	clients int
	request []byte
	time    time.Duration
}

// A loadResult is what a load came to.
type loadResult struct {
	Rate           float64 `json:"rate"` // requests per second
	P50, P99       float64 // seconds
	CPU, EngineCPU float64 // seconds for a request, what the processes behind the socket ran
	Errors         int     `json:"errors,omitempty"`
	Error          string  `json:"error,omitempty"` // the first one
}

// A loadClient is a connection with a request under way.
type loadClient struct {
	fd   int
	sent time.Time
	buf  []byte
	n    int // bytes of the answer that came
}

// run runs the load. The first request of a client, which dials, is not counted.
func (l load) run() (r loadResult) {
	fail := func(err error) { r.Errors, r.Error = r.Errors+1, err.Error() }
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		fail(err)
		return r
	}
	defer unix.Close(poll)
	clients := make([]*loadClient, l.clients)
	for i := range clients {
		c, err := l.connect()
		if err == nil {
			defer unix.Close(c.fd)
			err = unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)})
		}
		if err != nil {
			fail(err)
			return r
		}
		clients[i] = c
	}
	times := make([]time.Duration, 0, 1<<16)
	begin := time.Now()
	for _, c := range clients {
		if err := c.send(l.request, begin); err != nil {
			fail(err)
		}
	}
	ready := make([]unix.EpollEvent, l.clients)
	for now, end := begin, begin.Add(l.time); now.Before(end) && r.Errors < l.clients; now = time.Now() {
		n, err := unix.EpollWait(poll, ready, int(patience/time.Millisecond))
		switch {
		case err == unix.EINTR:
		case err != nil:
			fail(err)
			return r
		case n == 0:
			fail(fmt.Errorf("no answer for %s", patience))
			return r
		}
		for _, e := range ready[:max(n, 0)] {
			c := clients[e.Fd]
			whole, err := c.receive()
			if whole {
				now := time.Now()
				times = append(times, now.Sub(c.sent))
				err = c.send(l.request, now)
			}
			if err != nil {
				fail(err)
				unix.EpollCtl(poll, unix.EPOLL_CTL_DEL, c.fd, nil)
			}
		}
	}
	if len(times) == 0 {
		return r
	}
	slices.Sort(times)
	r.Rate = float64(len(times)) / l.time.Seconds()
	r.P50 = times[len(times)/2].Seconds()
	r.P99 = times[len(times)*99/100].Seconds()
	return r
}

// connect dials and has one request answered.
func (l load) connect() (*loadClient, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &loadClient{fd: fd, buf: make([]byte, loadBuffer)}
	wait := unix.NsecToTimeval(int64(patience))
	if err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: l.socket})
	}
	if err == nil {
		err = c.send(l.request, time.Now())
	}
	for whole := false; err == nil && !whole; {
		whole, err = c.receive()
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return c, nil
}

func (c *loadClient) send(request []byte, now time.Time) error {
	c.n, c.sent = 0, now
	n, err := unix.Write(c.fd, request)
	if err == nil && n < len(request) {
		err = errors.New("a request was taken in part")
	}
	return err
}

// receive reports whether the answer is whole.
func (c *loadClient) receive() (bool, error) {
	n, err := unix.Read(c.fd, c.buf[c.n:])
	switch {
	case err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, err
	case n == 0 && c.n == len(c.buf):
		return false, fmt.Errorf("an answer of more than %d bytes", loadBuffer)
	case n == 0:
		return false, errors.New("the connection was closed before the answer")
	}
	c.n += n
	size, err := answerSize(c.buf[:c.n])
	if size > 0 && size < c.n {
		err = errors.New("more than one answer")
	}
	return size > 0, err
}
