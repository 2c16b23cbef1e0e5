package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// buildHead is the head of a request to the classic builder.
const buildHead = "POST /v1.41/build?rm=1 HTTP/1.1\r\nHost: docker\r\nUser-Agent: Docker-Client/28.5.2 (linux)\r\n" +
	"Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"

// build sends the context to the mock engine, through whatever is at socket, and
// checks what reached it. It returns the time that it took.
func (c buildContext) build(socket string, source func(io.Writer) error, labelled bool) (time.Duration, error) {
	begin := time.Now()
	text, err := upload(socket, source)
	if err != nil {
		return 0, err
	}
	took := time.Since(begin)
	var got receipt
	if err := json.Unmarshal(text, &got); err != nil {
		return 0, fmt.Errorf("%w: %s", err, text)
	}
	want := receipt{Files: c.files(), Bytes: c.files() * c.fileSize(), Labelled: labelled}
	if got != want {
		return 0, fmt.Errorf("%s: the engine got %+v, not %+v", c, got, want)
	}
	return took, nil
}

// upload sends one context and returns the answer.
func upload(socket string, source func(io.Writer) error) ([]byte, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	sendErr := send(conn, source)
	// A server that refuses may close before it has read everything. The reason is
	// in its answer.
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, errors.Join(sendErr, err)
	}
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	return text, errors.Join(sendErr, err)
}

// send writes the request.
func send(conn net.Conn, source func(io.Writer) error) error {
	if _, err := io.WriteString(conn, buildHead); err != nil {
		return err
	}
	body := bufio.NewWriterSize(chunkWriter{conn}, 8*chunkSize) // headers are short
	if err := source(body); err != nil {
		return err
	}
	if err := body.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(conn, "0\r\n\r\n")
	return err
}

// chunkSize is how much the docker CLI puts into one HTTP chunk.
const chunkSize = 32 << 10

// A chunkWriter writes HTTP chunks without a copy.
type chunkWriter struct{ conn net.Conn }

func (w chunkWriter) Write(p []byte) (int, error) {
	var wire net.Buffers
	for chunk := range slices.Chunk(p, chunkSize) {
		wire = append(wire, fmt.Appendf(nil, "%x\r\n", len(chunk)), chunk, []byte("\r\n"))
	}
	w.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := wire.WriteTo(w.conn); err != nil {
		return 0, err
	}
	return len(p), nil
}
