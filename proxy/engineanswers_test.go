package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// Answers are read as net/http reads them, an answer that is cut or none is never
// passed on as whole, and a connection on which the engine says more than it was
// asked for is not used again.
func TestEngineAnswers(t *testing.T) {
	const max = 1 << 20 // of a head
	large := strings.Repeat("x", 3*max)
	tests := []struct {
		name, method, answer string // "" is GET
		want                 string // the beginning
		cut                  bool   // the client sees that the answer is not whole
		fresh                bool   // the next request takes another connection
		ends                 bool   // the engine closes the connection
	}{
		{name: "declared", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ok"},
		{name: "empty", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", want: "200 "},
		{name: "error", answer: "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", want: "404 no"},
		{name: "large", answer: fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(large), large), want: "200 " + large},
		{name: "chunked", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", want: "200 ok"},
		{name: "trailer", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: a\r\n\r\n", want: "200 ok X=a"},
		{name: "head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", want: "200 "},
		{name: "no content", method: "POST", answer: "HTTP/1.1 204 No Content\r\n\r\n", want: "204 "},
		{name: "not modified", method: "POST", answer: "HTTP/1.1 304 Not Modified\r\n\r\n", want: "304 "},
		{name: "informed before", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ok"},
		{name: "switch of a plain answer", answer: "HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nok", want: "200 ok"},
		{name: "older", answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ok", fresh: true},
		{name: "closing", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", want: "200 ok", fresh: true},
		{name: "until the end", answer: "HTTP/1.1 200 OK\r\n\r\nok", want: "200 ok", fresh: true, ends: true},

		{name: "more than declared", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen", want: "200 ok", fresh: true},
		{name: "more than all chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nstolen", want: "200 ok", fresh: true},
		{name: "body of a head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: "200 ", fresh: true},
		{name: "body without content", method: "POST", answer: "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nstolen", want: "204 ", fresh: true},

		{name: "cut", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", cut: true, fresh: true, ends: true},
		{name: "cut between chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", cut: true, fresh: true, ends: true},
		{name: "odd chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", cut: true, fresh: true},
		{name: "cut in the head", answer: "HTTP/1.1 200 OK\r\nContent-Le", want: others, fresh: true, ends: true},
		{name: "cut after information", answer: "HTTP/1.1 100 Continue\r\n\r\n", want: others, fresh: true, ends: true},
		{name: "not HTTP", answer: "hello\r\n\r\n", want: others, fresh: true},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", want: others, fresh: true},
		{name: "switched", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n", want: others, fresh: true},
		{name: "no status", answer: "HTTP/1.1 099 What\r\nContent-Length: 2\r\n\r\nok", want: others, fresh: true},
		{name: "endless line", answer: "HTTP/1.1 200 " + strings.Repeat("x", 2*max), want: others, fresh: true},
		{name: "endless head", answer: "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: x\r\n", max/3), want: others, fresh: true},
		{name: "endless information", answer: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", max/10), want: others, fresh: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scripted(t, func(l *line) {
				if _, err := l.hear(); err != nil {
					t.Error(err)
				}
				l.say(tt.answer)
				switch {
				case !tt.fresh:
					l.answerAll()
				case !tt.ends:
					l.gone()
				}
			}, (*line).answerAll)
			method, target := "GET", logs
			switch tt.method {
			case "HEAD":
				method, target = "HEAD", "/containers/web/archive?path=/"
			case "POST":
				method, target = "POST", start
			}
			got, err := s.ask(t, method, target, "")
			if (err != nil) != tt.cut || !tt.cut && !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %.80q, %v, want %.80q", got, err, tt.want)
			}
			if got, err := s.ask(t, "GET", logs, ""); err != nil || got != "200 "+asked {
				t.Errorf("then got %.80q, %v", got, err)
			}
			if fresh := s.dials.Load() > 1; fresh != tt.fresh {
				t.Errorf("%d connections to the engine", s.dials.Load())
			}
		})
	}
}

// What an engine says on an idle connection is nobody's answer.
func TestEngineSpeaksUnasked(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen",
		"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		"\r\n",
	} {
		idle, said := make(chan bool), make(chan bool)
		s := scripted(t, func(l *line) {
			l.hear()
			l.answer("first")
			<-idle
			l.say(text)
			l.gone()
			close(said)
		}, (*line).answerAll)
		if got, err := s.ask(t, "GET", logs, ""); err != nil || got != "200 first" {
			t.Fatalf("got %q, %v", got, err)
		}
		close(idle)
		<-said
		if got, err := s.ask(t, "GET", logs, ""); err != nil || got != "200 "+asked {
			t.Errorf("%.20q: got %q, %v", text, got, err)
		}
	}
}

// A restart of the engine between two requests goes unnoticed, and no request that
// changes something is sent twice.
func TestEngineRestarts(t *testing.T) {
	tests := []struct {
		name, method, target string
		after                string // what the first connection does: "close" while idle, or "hear" a request, or "half" answer it
		want                 string
		times                int // that the engine hears the request
	}{
		{"idle before a GET", "GET", logs, "close", "200 again", 1},
		{"idle before a POST", "POST", start, "close", "200 again", 1},
		{"idle before a DELETE", "DELETE", "/containers/web", "close", "200 again", 1},
		{"on a GET", "GET", logs, "hear", "200 again", 2},
		{"on a POST", "POST", start, "hear", others, 1},
		{"on a DELETE", "DELETE", "/containers/web", "hear", others, 1},
		{"in the answer to a GET", "GET", logs, "half", others, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			heard, closed := make(chan string, 9), make(chan bool)
			s := scripted(t, func(l *line) {
				l.hear()
				l.answer("first")
				if tt.after != "close" {
					text, _ := l.hear()
					heard <- text
				}
				if tt.after == "half" {
					l.say("HTTP/1.1 200 OK\r\nContent-Le")
				}
				l.Close()
				close(closed)
			}, func(l *line) {
				for {
					text, err := l.hear()
					if err != nil {
						return
					}
					heard <- text
					l.answer("again")
				}
			})
			if got, err := s.ask(t, "GET", logs, ""); err != nil || got != "200 first" {
				t.Fatalf("got %q, %v", got, err)
			}
			if tt.after == "close" {
				<-closed
			}
			got, err := s.ask(t, tt.method, tt.target, "")
			if err != nil || !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if len(heard) != tt.times {
				t.Errorf("the engine heard it %d times, want %d", len(heard), tt.times)
			}
		})
	}
}

// The head of an answer to an upgrade has a ceiling too.
func TestEndlessHeadOfAnUpgrade(t *testing.T) {
	const max = 1 << 20
	for name, text := range map[string]string{
		"line":        "HTTP/1.1 101 " + strings.Repeat("x", 2*max),
		"head":        "HTTP/1.1 101 UPGRADED\r\n" + strings.Repeat("X: x\r\n", max/3),
		"information": strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", max/10),
	} {
		t.Run(name, func(t *testing.T) {
			s := scripted(t, (*line).answerAll, func(l *line) {
				l.hearHead()
				l.say(text)
				l.gone()
			})
			if got, err := s.ask(t, "POST", "/containers/web/attach", ""); err != nil || !strings.HasPrefix(got, others) {
				t.Errorf("got %.80q, %v", got, err)
			}
		})
	}
}
