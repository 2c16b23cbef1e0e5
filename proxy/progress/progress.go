// Package progress edits answers of an engine that are streams of JSON messages, one a
// line: those of builds, pulls, imports and loads.
package progress

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
)

const (
	// maxMessage is the longest message that is edited. Longer ones pass unchanged.
	maxMessage = 1 << 20

	bufferSize = 16 << 10
)

// A stream is an answer that is edited message by message.
type stream struct {
	io.Closer
	r    *bufio.Reader
	edit func(dst, message []byte) []byte
	end  func(dst []byte) []byte

	message []byte // the message that is read
	long    bool   // inside a message that is longer than maxMessage
	unread  bool   // a long message may have been an error
	buf     []byte
	out     []byte // the unread part of buf
	err     error  // returned after out
}

// Edit has an answer edited. Edit appends to dst what takes the place of a message. End
// appends what follows the last message of an answer that is not cut; nil appends
// nothing. End is not called after a message that is too long to edit and may be an error.
func Edit(resp *http.Response, edit func(dst, message []byte) []byte, end func(dst []byte) []byte) {
	resp.Body = newStream(resp.Body, edit, end)
	resp.ContentLength = -1
	resp.Header.Del("Content-Length")
}

func newStream(body io.ReadCloser, edit func(dst, message []byte) []byte, end func(dst []byte) []byte) *stream {
	return &stream{Closer: body, r: bufio.NewReaderSize(body, bufferSize), edit: edit, end: end}
}

// Read returns messages as soon as they are whole.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.out) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.fill()
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// fill reads one message and those that are buffered behind it.
func (s *stream) fill() {
	s.buf = s.buf[:0]
	for s.err == nil && len(s.buf) < bufferSize {
		var whole bool
		whole, s.err = s.next()
		if whole {
			s.buf = s.edit(s.buf, s.message)
		} else {
			s.buf = append(s.buf, s.message...)
		}
		if more, _ := s.r.Peek(s.r.Buffered()); bytes.IndexByte(more, '\n') < 0 {
			break
		}
	}
	if s.err == io.EOF && s.end != nil && !s.unread {
		s.buf = s.end(s.buf)
	}
	s.out = s.buf
}

// next reads the next message, or a piece of one that is too long.
func (s *stream) next() (whole bool, err error) {
	s.message = s.message[:0]
	for {
		piece, err := s.r.ReadSlice('\n')
		s.message = append(s.message, piece...)
		if err != bufio.ErrBufferFull {
			whole, s.long = !s.long, false
			return whole, err
		}
		if s.long || len(s.message) > maxMessage {
			if !s.long && !bytes.HasPrefix(s.message, streamPrefix) {
				s.unread = true
			}
			s.long = true
			return false, nil
		}
	}
}
