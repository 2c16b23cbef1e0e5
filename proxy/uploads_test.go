package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sockguard/proxy/internal/testtar"
)

const archive = "/containers/web/archive?path=/"

// An engine that refuses an upload before it has all of it is heard to the end,
// whatever becomes of the rest of the upload.
func TestUploadEarlyAnswer(t *testing.T) {
	why := strings.Repeat("too much", 10<<10)
	refusal := fmt.Sprintf("HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\n\r\n%s", len(why), why)
	endless := strings.Repeat("x", 1<<20)
	for framing, piece := range map[string]string{
		"Content-Length: 1000000000": endless,
		"Transfer-Encoding: chunked": fmt.Sprintf("%x\r\n%s\r\n", len(endless), endless),
	} {
		for name, then := range map[string]func(l *line, heard <-chan bool){
			"closes":        func(*line, <-chan bool) {},
			"reads no more": func(l *line, heard <-chan bool) { l.Conn.(*net.UnixConn).CloseRead(); <-heard },
			"reads on":      func(l *line, _ <-chan bool) { l.gone() },
		} {
			t.Run(framing+", the engine "+name, func(t *testing.T) {
				heard := make(chan bool)
				s := scripted(t, (*line).answerAll, func(l *line) {
					if _, err := l.hearHead(); err != nil {
						t.Error(err)
					}
					io.ReadFull(l.r, make([]byte, 64<<10))
					l.say(refusal)
					then(l, heard)
				})
				defer close(heard)
				c := s.dial(t)
				sent := make(chan bool)
				go func() {
					defer close(sent)
					fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", archive, framing)
					for {
						if _, err := io.WriteString(c, piece); err != nil {
							return
						}
					}
				}()
				if got, err := c.hear("PUT"); err != nil || got != "413 "+why {
					t.Errorf("got %.40q, %v", got, err)
				}
				c.Close()
				<-sent
			})
		}
	}
}

// An engine never takes a part of an upload for the whole: its client leaves, or
// breaks the framing, or the archive is refused.
func TestUploadBreaks(t *testing.T) {
	for name, sent := range map[string]string{
		"declared":  "PUT " + archive + " HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf",
		"chunked":   "PUT " + archive + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"odd chunk": "PUT " + archive + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
		"context":   "POST /build HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			heard := make(chan error, 1)
			s := scripted(t, (*line).answerAll, func(l *line) {
				r, err := l.hearHead()
				if err == nil {
					_, err = io.Copy(io.Discard, r.Body)
				}
				heard <- err
			})
			c := s.dial(t)
			io.WriteString(c, sent)
			c.CloseWrite()
			if err := <-heard; err == nil {
				t.Error("the engine heard a whole upload")
			}
			c.Close()
		})
	}
}

// What an engine says of an upload that then breaks is heard, and does not look
// whole.
func TestUploadBreaksAfterTheAnswer(t *testing.T) {
	s := scripted(t, (*line).answerAll, func(l *line) {
		l.hearHead()
		l.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nStep \r\n")
		if tail := l.gone(); strings.HasSuffix(tail, "0\r\n\r\n") {
			t.Errorf("the upload ends with %q", tail)
		}
	})
	c := s.dial(t)
	io.WriteString(c, "PUT "+archive+" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	step := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, step); err != nil || string(step) != "Step " {
		t.Errorf("got %q, %v", step, err)
	}
	io.WriteString(c, "zz\r\n")
	c.CloseWrite()
	if rest, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("then got %q and a good end", rest)
	}
}

// What is uploaded arrives as it is, in any framing.
func TestUploadIsWhole(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 1<<16)
	for framing, text := range map[string]string{
		fmt.Sprintf("Content-Length: %d", len(body)): body,
		"Transfer-Encoding: chunked":                 fmt.Sprintf("1\r\n0\r\n%x\r\n%s\r\n0\r\n\r\n", len(body)-1, body[1:]),
		"Expect: 100-continue\r\nContent-Length: 0":  "",
	} {
		t.Run(framing, func(t *testing.T) {
			s := scripted(t, (*line).answerAll)
			c := s.dial(t)
			go fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", archive, framing, text)
			want := "200 PUT /v1.51/containers/" + idA + "/archive?path=%2F "
			if text != "" {
				want += body
			}
			if got, err := c.hear("PUT"); err != nil || got != want {
				t.Errorf("got %d bytes %.100q, %v, want %d", len(got), got, err, len(want))
			}
		})
	}
}

// A build that is refused is answered whole while its client still sends, and the
// client may send the rest.
func TestRefusedUploadIsHeard(t *testing.T) {
	s := scripted(t, (*line).answerAll, func(l *line) { l.hearHead(); l.gone() }, (*line).answerAll)
	text := testtar.Make(t, "Dockerfile", "FROM scratch\nLABEL com.buildkite.sockguard.owner=x\n", "big", strings.Repeat("x", 4<<20))
	c := s.dial(t)
	fmt.Fprintf(c, "POST /build HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(text), text[:4096])
	c.SetDeadline(time.Now().Add(drainTime / 2))
	if got, err := c.hear("POST"); err != nil || !strings.HasPrefix(got, `400 {"message":"sockguard: Dockerfile line 2`) {
		t.Errorf("got %.80q, %v", got, err)
	}
	if _, err := io.WriteString(c, text[4096:]+"GET "+logs+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatalf("the rest: %v", err)
	}
	if got, err := c.hear("GET"); err != nil || got != "200 "+asked {
		t.Errorf("then got %.80q, %v", got, err)
	}
}

// An engine's early error of a build is not held back until the upload ends. An
// upload has no more headers than its client sent.
func TestBuildFailsEarly(t *testing.T) {
	s := scripted(t, (*line).answerAll, func(l *line) {
		r, err := l.hearHead()
		if err != nil {
			t.Error(err)
		} else if agent, ok := r.Header["User-Agent"]; ok {
			t.Errorf("the engine gets a User-Agent %q", agent)
		}
		l.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 19\r\n\r\n" + `{"message":"parse"}`)
		l.gone()
	})
	c := s.dial(t)
	io.WriteString(c, "POST /build HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
	if got, err := c.hear("POST"); err != nil || !strings.HasPrefix(got, `400 {"message":"parse`) {
		t.Errorf("got %.80q, %v", got, err)
	}
}

// A client in the middle of its upload sees at once that the answer is cut.
func TestCutAnswerToAnUpload(t *testing.T) {
	for framing, half := range map[string]string{"Content-Length: 9": "half", "Transfer-Encoding: chunked": "4\r\nhalf\r\n"} {
		s := scripted(t, (*line).answerAll, func(l *line) {
			l.hearHead()
			l.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		})
		c := s.dial(t)
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", archive, framing, half)
		if got, err := c.hear("PUT"); err != io.ErrUnexpectedEOF {
			t.Errorf("%s: got %q, %v", framing, got, err)
		}
	}
}
