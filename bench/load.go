package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A requester sends ready-made requests over one connection and reads the
// answers, with as little work as it can: it is not what is measured.
type requester struct {
	conn net.Conn
	buf  []byte
	r, w int
}

func newRequester(c net.Conn) *requester { return &requester{conn: c, buf: make([]byte, 64<<10)} }

// getRequest is a request without a body, as bytes.
func getRequest(path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n\r\n")
}

// do sends a request and reads its answer, which must be a 200.
func (q *requester) do(request []byte) error {
	if _, err := q.conn.Write(request); err != nil {
		return err
	}
	head, err := q.head()
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return fmt.Errorf("answer %q", line)
	}
	if length, ok := field(head, "Content-Length: "); ok {
		n, err := strconv.Atoi(string(length))
		if err != nil {
			return err
		}
		return q.skip(n)
	}
	if _, ok := field(head, "Transfer-Encoding: "); ok {
		return q.chunks()
	}
	return errors.New("an answer without a length")
}

// head reads up to the end of the headers. What it returns is valid until the
// next read.
func (q *requester) head() ([]byte, error) {
	for {
		if i := bytes.Index(q.buf[q.r:q.w], []byte("\r\n\r\n")); i >= 0 {
			head := q.buf[q.r : q.r+i+2]
			q.r += i + 4
			return head, nil
		}
		if err := q.fill(); err != nil {
			return nil, err
		}
	}
}

// field returns the value of a header, whatever case its name is in.
func field(head []byte, name string) ([]byte, bool) {
	for line := range bytes.Lines(head) {
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return bytes.TrimSpace(line[len(name):]), true
		}
	}
	return nil, false
}

func (q *requester) fill() error {
	if q.r == q.w {
		q.r, q.w = 0, 0
	}
	if q.w == len(q.buf) {
		q.w = copy(q.buf, q.buf[q.r:q.w])
		q.r = 0
		if q.w == len(q.buf) {
			return errors.New("a head of more than 64 KiB")
		}
	}
	n, err := q.conn.Read(q.buf[q.w:])
	q.w += n
	if n > 0 {
		return nil
	}
	return err
}

func (q *requester) skip(n int) error {
	for n > q.w-q.r {
		n -= q.w - q.r
		q.r = q.w
		if err := q.fill(); err != nil {
			return err
		}
	}
	q.r += n
	return nil
}

// chunks reads a chunked body.
func (q *requester) chunks() error {
	for {
		i := bytes.IndexByte(q.buf[q.r:q.w], '\n')
		if i < 0 {
			if err := q.fill(); err != nil {
				return err
			}
			continue
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(q.buf[q.r:q.r+i])), 16, 31)
		if err != nil {
			return err
		}
		q.r += i + 1
		if err := q.skip(int(n) + 2); n == 0 || err != nil {
			return err
		}
	}
}

// A load is a closed loop: every client sends its next request as soon as it has
// the answer to the last.
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

// run runs the load. The first request of a client, which dials, is not counted.
func (l load) run() loadResult {
	times := make([][]time.Duration, l.clients)
	errs := make([]error, l.clients)
	var wg sync.WaitGroup
	begin := time.Now().Add(50 * time.Millisecond)
	for i := range l.clients {
		wg.Go(func() { times[i], errs[i] = l.client(begin) })
	}
	wg.Wait()
	var r loadResult
	for _, err := range errs {
		if err != nil {
			r.Errors++
			r.Error = err.Error()
		}
	}
	all := slices.Concat(times...)
	if len(all) == 0 {
		return r
	}
	slices.Sort(all)
	r.Rate = float64(len(all)) / l.time.Seconds()
	r.P50 = all[len(all)/2].Seconds()
	r.P99 = all[len(all)*99/100].Seconds()
	return r
}

func (l load) client(begin time.Time) ([]time.Duration, error) {
	c, err := net.Dial("unix", l.socket)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(begin.Add(l.time + 10*time.Second))
	q := newRequester(c)
	if err := q.do(l.request); err != nil {
		return nil, err
	}
	time.Sleep(time.Until(begin))
	times := make([]time.Duration, 0, 1<<16)
	now := begin
	for end := begin.Add(l.time); now.Before(end); {
		if err := q.do(l.request); err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the connection was closed between requests")
			}
			return times, err
		}
		then := now
		now = time.Now()
		times = append(times, now.Sub(then))
	}
	return times, nil
}
