package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// hijackRequest is a request that turns the connection into a stream.
func hijackRequest(path, body string) []byte {
	head := "POST " + path + " HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
	if body != "" {
		head += "Content-Type: application/json\r\n"
	}
	return fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// startEcho starts an exec that sends back what it gets.
func startEcho(socket string) (net.Conn, error) {
	return hijack(socket, hijackRequest("/v1.41/exec/"+execID+"/start", `{"Detach":false,"Tty":true}`))
}

// attach attaches to a container that says nothing.
func attach(socket string) (net.Conn, error) {
	return hijack(socket, hijackRequest("/v1.41/containers/"+containerID+"/attach?stream=1&stdin=1&stdout=1", ""))
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
		// The reader takes nothing of the stream: it is silent until it is spoken to.
		if resp, err = http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			err = checkUpgraded(resp)
		}
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func checkUpgraded(resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusSwitchingProtocols:
		return nil
	case http.StatusOK:
		return errors.New("the engine got the request without its Upgrade, so that the client's bytes are not passed on")
	}
	return fmt.Errorf("answer %q", resp.Status)
}

const echoName = "exec echo"

// streams measures the echo of an exec, then idle attaches.
func (s *suite) streams() (err error) {
	s.report.Streams, err = s.compare(pick(s, 3, 7), line{What: echoName, Unit: "MiB"}, func(r runner) (sample, error) {
		return echo(r.socket, pick[int64](s, 64*mib, 256*mib))
	})
	for _, r := range s.rivals[1:] {
		if s.ctx.Err() == nil {
			s.idle(r.contender)
		}
	}
	return err
}

// echo sends size bytes and reads them back.
func echo(socket string, size int64) (sample, error) {
	c, err := startEcho(socket)
	if err != nil {
		return sample{}, err
	}
	defer c.Close()
	begin := time.Now()
	go func() {
		for sent := int64(0); sent < size; sent += chunkSize {
			if _, err := c.Write(payload[:chunkSize]); err != nil {
				return // the reader below meets an error too
			}
		}
	}()
	if _, err := io.CopyBuffer(onlyWriter{io.Discard}, io.LimitReader(c, size), make([]byte, 256<<10)); err != nil {
		return sample{}, err
	}
	return sample{units: float64(size) / mib, seconds: time.Since(begin).Seconds()}, nil
}
