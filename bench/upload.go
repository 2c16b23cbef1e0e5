package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// buildRequest is the head of a build through the classic builder.
func buildRequest(tag string) []byte {
	q := url.Values{"rm": {"1"}, "t": {tag}}
	return []byte("POST /v1.41/build?" + q.Encode() + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n" +
		"Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n")
}

// upload sends one context and returns the answer of the engine.
func upload(socket, tag string, c buildContext) (string, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Write(buildRequest(tag)); err != nil {
		return "", err
	}
	werr := c.writeTo(impatient{conn})
	if errors.Is(werr, os.ErrDeadlineExceeded) {
		return "", werr
	}
	// A server that refuses closes its side; the reason is in its answer.
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", errors.Join(werr, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", errors.Join(werr, err)
	}
	if resp.StatusCode != http.StatusOK || werr != nil {
		return "", fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return string(text), nil
}

// patience is how long nobody may take what is sent.
const patience = 10 * time.Second

// impatient is a connection that gives up when a write takes too long.
type impatient struct{ net.Conn }

func (c impatient) Write(p []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(patience))
	n, err := c.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("stalled: nothing was taken for %s: %w", patience, err)
	}
	return n, err
}

// sendMock sends n contexts at once to the mock engine, through whatever is at
// socket, and checks what reached it. It returns the time that it took.
func sendMock(socket string, c buildContext, n int, labelled bool) (time.Duration, error) {
	errs := make([]error, n)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range n {
		wg.Go(func() {
			text, err := upload(socket, "bench", c)
			if err == nil {
				err = c.check(text, labelled)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return time.Since(begin), errors.Join(errs...)
}

// check compares the mock engine's receipt with what was sent.
func (c buildContext) check(text string, labelled bool) error {
	var got receipt
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	want := receipt{Files: c.files(), Bytes: c.files() * c.fileSize(), Labelled: labelled}
	if got != want {
		return fmt.Errorf("%s: the engine got %+v, not %+v", c, got, want)
	}
	return nil
}
