package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// answerSize returns the size of the answer at the start of b, 0 as long as not
// all of it is there. It must be a 200.
func answerSize(b []byte) (int, error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, nil
	}
	head, size := b[:end+2], end+4
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return 0, fmt.Errorf("answer %q", line)
	}
	if length, ok := field(head, "Content-Length: "); ok {
		n, err := strconv.Atoi(string(length))
		if size += n; err != nil || size > len(b) {
			return 0, err
		}
		return size, nil
	}
	if _, ok := field(head, "Transfer-Encoding: "); ok {
		n, err := chunksSize(b[size:])
		if n == 0 {
			return 0, err
		}
		return size + n, nil
	}
	return 0, errors.New("an answer without a length")
}

// chunksSize returns the size of the chunked body at the start of b, 0 as long as
// not all of it is there.
func chunksSize(b []byte) (size int, err error) {
	for {
		line, _, found := bytes.Cut(b[size:], []byte("\r\n"))
		if !found {
			return 0, nil
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return 0, err
		}
		size += len(line) + 2 + int(n) + 2
		switch {
		case size > len(b):
			return 0, nil
		case n == 0:
			return size, nil
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
