package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// realEngine builds a context of a size that fits with a real engine, which
// unpacks it onto its disk.
func (s *suite) realEngine() error {
	if c, err := net.Dial("unix", s.realSocket); err != nil {
		s.say("NOT MEASURED: a real engine: %v", err)
		s.report.Skipped = append(s.report.Skipped, skipped{"a real engine", err.Error()})
		return nil
	} else {
		c.Close()
	}
	tag := fmt.Sprintf("sockguard-bench:%d", os.Getpid())
	own := guard(guardName, s.guard)
	ctx := buildContext{Shape: "large", Size: pick[int64](s, 64*mib, 512*mib)}
	m := memoryPoint{Contender: own.Name, Context: ctx, Builds: 1, Turns: 1, Engine: "real"}
	p, err := own.start(s.dir, s.realSocket)
	if err != nil {
		return err
	}
	defer p.stop()
	defer request(s.realSocket, http.MethodDelete, "/v1.41/images/"+tag)
	begin := time.Now()
	text, err := upload(p.socket, tag, ctx)
	if err == nil && !strings.Contains(text, "Successfully built") {
		err = fmt.Errorf("the engine answers %s", text)
	}
	m.Seconds = time.Since(begin).Seconds()
	if err == nil {
		m.Peak, err = peakRSS(p.pid())
	}
	s.keep(m, err)
	return nil
}

// request makes one request without a body; the answer must be a 200.
func request(socket, method, path string) error {
	text := strings.Replace(string(getRequest(path)), http.MethodGet, method, 1)
	c, err := load{socket: socket, request: []byte(text)}.connect()
	if err == nil {
		unix.Close(c.fd)
	}
	return err
}
