package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestTransportEarlyAnswer: an engine that refuses an upload before it has all
// of it is heard to the end, and the upload ends.
func TestTransportEarlyAnswer(t *testing.T) {
	why := strings.Repeat("too much", receiveBuffer/2)
	refusal := fmt.Sprintf("HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\n\r\n%s", len(why), why)
	bodies := []struct {
		name   string
		memory bool
		length int64
	}{
		{"chunked", false, -1},
		{"declared", false, 1 << 40},
		{"in memory", true, 1 << 30},
	}
	engines := []struct {
		name string
		ends bool // the upload, by itself
		then func(l *line, heard <-chan bool)
	}{
		{"closes", true, func(*line, <-chan bool) {}},
		{"reads no more", false, func(l *line, heard <-chan bool) { l.Conn.(*net.UnixConn).CloseRead(); <-heard }},
		{"reads on", false, func(l *line, _ <-chan bool) { l.gone() }},
	}
	for _, b := range bodies {
		for _, engine := range engines {
			t.Run(b.name+", the engine "+engine.name, func(t *testing.T) {
				heard := make(chan bool)
				e := spoken(t, func(l *line) {
					io.ReadFull(l.r, make([]byte, 64<<10))
					l.say(refusal)
					engine.then(l, heard)
				})
				defer close(heard)
				body := newSource(endless{})
				r := newAsk(t, "POST", "/build", body, b.length)
				if b.memory {
					r.GetBody = func() (io.ReadCloser, error) { return body, nil }
				}
				resp, err := e.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				if engine.ends {
					body.waitClosed(t)
				}
				if got, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 413 || string(got) != why {
					t.Errorf("got %d %.20q, %v", resp.StatusCode, got, err)
				}
				body.waitClosed(t)
				if len(e.idle) > 0 {
					t.Error("the connection is used again")
				}
			})
		}
	}
}

// TestTransportBrokenUpload: the engine never takes a part of a body for the
// whole, nor the rest of a longer body for a request.
func TestTransportBrokenUpload(t *testing.T) {
	broken := errors.New("the source broke")
	half := func() io.Reader { return io.MultiReader(strings.NewReader("half"), failing{broken}) }
	text := func(n int) io.Reader { return strings.NewReader(strings.Repeat("GET /x HTTP/1.1\r\n\r\n", n/19+1)[:n]) }
	tests := []struct {
		name   string
		body   func() io.Reader
		memory bool
		length int64
		want   error
		whole  bool // the engine hears all that was declared
	}{
		{"chunked, fails", half, false, -1, broken, false},
		{"declared, fails", half, false, 8, broken, false},
		{"declared, fails at its end", half, false, 4, broken, true},
		{"fails with an end", func() io.Reader { return io.MultiReader(strings.NewReader("half"), failing{io.ErrUnexpectedEOF}) }, false, -1, io.ErrUnexpectedEOF, false},
		{"shorter than declared", func() io.Reader { return text(7) }, false, 8, errLength, false},
		{"empty", func() io.Reader { return text(0) }, false, 8, errLength, false},
		{"longer than declared", func() io.Reader { return io.MultiReader(text(4), text(100)) }, false, 8, errLength, false},
		{"longer than declared, after the end", func() io.Reader { return io.MultiReader(text(8), text(100)) }, false, 8, errLength, true},
		{"longer than declared, in one piece", func() io.Reader { return text(100) }, false, 8, errLength, false},
		{"longer than declared, unreported", func() io.Reader { return deaf{text(8), text(100)} }, false, 8, errLength, true},
		{"shorter in memory", func() io.Reader { return text(7) }, true, 8, errLength, false},
		{"empty in memory", func() io.Reader { return text(0) }, true, 8, errLength, false},
		{"longer in memory", func() io.Reader { return text(100) }, true, 8, errLength, false},
		{"shorter in memory, large", func() io.Reader { return text(inlineBody) }, true, inlineBody + 1, errLength, false},
		{"longer in memory, large", func() io.Reader { return text(2 * inlineBody) }, true, inlineBody + 1, errLength, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			heard := make(chan error, 1)
			e := spoken(t, func(l *line) {
				if _, err := l.r.Peek(1); err != nil {
					l.gone()
					heard <- err
					return
				}
				r, err := http.ReadRequest(l.r)
				if err != nil {
					heard <- err
					return
				}
				_, err = io.Copy(io.Discard, r.Body)
				if rest := l.gone(); rest != "" {
					t.Errorf("after the body: %q", rest)
				}
				heard <- err
			})
			body := newSource(tt.body())
			r := newAsk(t, "POST", "/", body, tt.length)
			if tt.memory {
				r.GetBody = func() (io.ReadCloser, error) { return body, nil }
			}
			if d, ok := body.Reader.(deaf); ok {
				r.Body = struct {
					deaf
					*source
				}{d, body}
			}
			if got, err := e.ask(r); !errors.Is(err, tt.want) {
				t.Errorf("got %q, %v, want %v", got, err, tt.want)
			}
			body.waitClosed(t)
			if err := <-heard; (err == nil) != tt.whole {
				t.Errorf("the engine heard it with %v", err)
			}
		})
	}
}

// deaf is a body that writes its parts and minds no error.
type deaf []io.Reader

func (d deaf) Read([]byte) (int, error) { panic("read") }

func (d deaf) WriteTo(w io.Writer) (int64, error) {
	for _, part := range d {
		io.Copy(w, part)
	}
	return 0, nil
}

// TestTransportBrokenUploadAnswered: what an engine says before an upload breaks
// is heard, and does not look whole.
func TestTransportBrokenUploadAnswered(t *testing.T) {
	e := spoken(t, func(l *line) {
		l.r.Peek(1)
		l.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nStep \r\n")
		if text := l.gone(); strings.HasSuffix(text, "0\r\n\r\n") {
			t.Errorf("the body ends with %q", text)
		}
	})
	pr, pw := io.Pipe()
	resp, err := e.RoundTrip(newAsk(t, "POST", "/build", pr, -1))
	if err != nil {
		t.Fatal(err)
	}
	step := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, step); err != nil || string(step) != "Step " {
		t.Errorf("got %q, %v", step, err)
	}
	io.WriteString(pw, "half")
	pw.CloseWithError(errors.New("the source broke"))
	if rest, err := io.ReadAll(resp.Body); err == nil || len(rest) > 0 {
		t.Errorf("then got %q, %v", rest, err)
	}
}
