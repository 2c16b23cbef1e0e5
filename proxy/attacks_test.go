package proxy

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
)

// overRaw writes bytes to a guarded socket as they are and returns all that
// comes back until the guard closes, or one second after the last byte.
func overRaw(t *testing.T, dial func() (net.Conn, error), text string) string {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	buf := make([]byte, 4096)
	for {
		c.SetReadDeadline(time.Now().Add(time.Second))
		n, err := c.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			return got.String()
		}
	}
}

// statuses are the status codes of the answers in a stream, in order.
func statuses(stream string) []string {
	var codes []string
	for line := range strings.Lines(stream) {
		if strings.HasPrefix(line, "HTTP/1.") {
			codes = append(codes, line[9:12])
		}
	}
	return codes
}

const formType = "Content-Type: application/x-www-form-urlencoded\r\n"

// What a client does to framing and connections reaches the engine as requests
// that were judged, or not at all. The engine here has the container web, which
// is the owner's, and knows no others.
func TestAttacksOnConnections(t *testing.T) {
	web := strings.Repeat("a", 64)
	owner := "filters=%7B%22label%22%3A%5B%22com.buildkite.sockguard.owner%3Dteam-a%22%5D%7D"
	kill := "POST /v1.41/containers/" + web + "/kill?"
	const smuggled = "DELETE /v1.41/containers/victim?force=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	attacks := []struct {
		name, sent string
		status     []string
		reached    []string // request lines, with the body of the request after a blank
	}{
		{"form body on prune", "POST /v1.41/containers/prune HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + formType + "Content-Length: 10\r\n\r\nfilters={}", []string{"200"}, []string{"POST /v1.41/containers/prune?" + owner}},
		{"multipart body on prune", "POST /v1.41/volumes/prune HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 68\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"filters\"\r\n\r\n{}\r\n--b--\r\n\r\n\r\n", []string{"200"}, []string{"POST /v1.41/volumes/prune?" + owner}},
		{"form body on kill", "POST /v1.41/containers/web/kill?signal=15 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + formType + "Content-Length: 8\r\n\r\nsignal=9", []string{"200"}, []string{kill + "signal=15"}},
		{"form body in place of JSON", "POST /v1.41/containers/web/exec HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + formType + "Content-Length: 12\r\n\r\nPrivileged=1", []string{"400"}, nil},
		{"body of a GET", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + formType + "Content-Length: 10\r\n\r\nfilters={}", []string{"200"}, []string{"GET /v1.41/volumes?" + owner}},
		{"body of a DELETE", "DELETE /v1.41/containers/web HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + formType + "Content-Length: 6\r\n\r\nlink=1", []string{"200"}, []string{"DELETE /v1.41/containers/" + web + "?"}},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", []string{"400"}, nil},
		{"HTTP/2 upgrade", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", []string{"200"}, []string{"GET /v1.41/volumes?" + owner}},
		{"length and chunks", "POST /v1.41/containers/web/kill HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []string{"200"}, []string{kill}},
		{"two lengths", "POST /v1.41/containers/web/kill HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 96\r\n\r\n" + smuggled, []string{"400"}, nil},
		{"folded header", "POST /v1.41/containers/web/kill HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smuggled, []string{"200"}, []string{kill}},
		{"unknown coding", "POST /v1.41/containers/web/kill HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nConnection: close\r\n\r\n0\r\n\r\n", []string{"501"}, nil},
		{"chunks of nothing", "POST /v1.41/containers/web/start HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []string{"200"}, []string{"POST /v1.41/containers/" + web + "/start?"}},
		{"trailer", "POST /v1.41/containers/web/kill HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTrailer: X-Registry-Auth\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Registry-Auth: y\r\n\r\n", []string{"200"}, []string{kill}},
		{"target with a host", "POST http://evil/v1.41/containers/web/kill HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", []string{"200"}, []string{kill}},
		{"tunnel to anywhere", "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n", []string{"400"}, nil},
		{"request in the body of an attach", "POST /v1.41/containers/web/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 84\r\n\r\n" + smuggled, []string{"400"}, nil},
		{"request behind an attach that fails", "POST /v1.41/containers/web/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + smuggled, []string{"409"}, []string{"POST /v1.41/containers/" + web + "/attach?"}},
		{"request behind an attach to nothing", "POST /v1.41/containers/victim/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + smuggled, []string{"404", "404"}, nil},
		{"request behind an upgrade of a plain route", "POST /v1.41/containers/web/kill HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + smuggled, []string{"200", "404"}, []string{kill}},
		{"request behind broken chunks", "POST /v1.41/volumes/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + smuggled, []string{"502"}, nil},
		{"request behind broken chunks of an upload", "PUT /v1.41/containers/victim/archive?path=/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + smuggled, []string{"404"}, nil},
		{"request behind a refusal", "POST /v1.41/swarm/init HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + smuggled, []string{"403", "404"}, nil},
		{"redirect", "POST /v1.41//containers/prune HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", []string{"400"}, nil},
		{"session without BuildKit", "POST /session HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nX-Docker-Expose-Session-Uuid: u\r\n\r\n" + smuggled, []string{"403", "404"}, nil},
		{"request behind a plain one", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled, []string{"200", "404"}, []string{"GET /v1.41/volumes?" + owner}},
		{"request behind a plain refusal", "GET /v1.41/nosuch HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled, []string{"501", "404"}, nil},
		{"request in the body of a GET", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + strconv.Itoa(len(smuggled)) + "\r\n\r\n" + smuggled, []string{"200"}, []string{"GET /v1.41/volumes?" + owner}},
		{"request behind the chunks of a GET", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []string{"200"}, []string{"GET /v1.41/volumes?" + owner}},
		{"length and a blank", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\n" + smuggled, []string{"400"}, nil},
		{"length behind a line feed", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nAccept: a\nContent-Length: " + strconv.Itoa(len(smuggled)) + "\r\nConnection: close\r\n\r\n" + smuggled, []string{"200"}, []string{"GET /v1.41/volumes?" + owner}},
		{"length in a folded line", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nAccept: a\r\n Content-Length: 5\r\n\r\n" + smuggled, []string{"200", "404"}, []string{"GET /v1.41/volumes?" + owner}},
		{"two hosts", "GET /v1.41/volumes HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + smuggled, []string{"400"}, nil},
		{"host with a path", "GET /v1.41/volumes HTTP/1.1\r\nHost: x/y\r\n\r\n" + smuggled, []string{"400"}, nil},
		{"request behind a websocket that is none", "GET /v1.41/containers/web/attach/ws HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled, []string{"200"}, []string{"GET /v1.41/containers/" + web + "/attach/ws?"}},
		{"lower-case method", "get /v1.41/info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", []string{"501"}, nil},
		{"old protocol with chunks", "POST /v1.41/containers/web/kill HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []string{"200"}, []string{kill}},
	}
	for _, tt := range attacks {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{answers: map[string]http.HandlerFunc{
				"GET /containers/web/json": answer(`{"Id":"` + web + `","Config":{"Labels":{"com.buildkite.sockguard.owner":"team-a"}}}`),
				"POST /containers/" + web + "/attach": func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(http.StatusConflict)
					io.WriteString(w, `{"message":"container is not running"}`)
				},
			}}
			got := overRaw(t, serveGuard(t, rec), tt.sent)
			if diff := cmp.Diff(tt.status, statuses(got)); diff != "" {
				t.Errorf("the client gets %s\n%s", got, diff)
			}
			if diff := cmp.Diff(tt.reached, rec.lines()); diff != "" {
				t.Errorf("the engine gets: %s", diff)
			}
		})
	}
	t.Logf("%d attacks tried", len(attacks))
}

// lines are what reached the engine but look-ups, with the bodies.
func (rec *recorder) lines() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	var lines []string
	for _, r := range rec.requests {
		line := r.Line
		if r.Body != "" {
			line += " " + r.Body
		}
		if !strings.HasSuffix(line, "/containers/web/json?") {
			lines = append(lines, line)
		}
		if slices.ContainsFunc([]string{"Transfer-Encoding", "Connection", "Upgrade"}, func(h string) bool { return r.Header.Get(h) != "" && !strings.Contains(line, "/attach") }) {
			lines = append(lines, "hop-by-hop headers")
		}
	}
	return lines
}

// A redirect of the engine's is not followed: it would be a request that nobody
// judged.
func TestRedirectsAreNotFollowed(t *testing.T) {
	dial := serveGuard(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/version":
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
		case "/containers/web/json":
			w.Header().Set("Location", "/containers/other/json")
			w.WriteHeader(http.StatusMovedPermanently)
		default:
			t.Errorf("%s %s reaches the engine", r.Method, r.URL.Path)
		}
	}))
	got := overRaw(t, dial, "POST /containers/web/kill HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	if diff := cmp.Diff([]string{"502"}, statuses(got)); diff != "" {
		t.Error(got, diff)
	}
}

// A network that could not be made, for its name is another owner's, is not
// joined by the operator's container.
func TestConflictJoinsNothing(t *testing.T) {
	rec := &recorder{answers: map[string]http.HandlerFunc{
		"GET /containers/agent/json": answer(`{"Id":"` + idA + `","Config":{}}`),
		"POST /networks/create": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			io.WriteString(w, `{"message":"network with name theirs already exists"}`)
		},
	}}
	url := guardOf(t, rec, verdict.Policy{Grants: verdict.Grants{JoinNetwork: "agent"}})
	resp, err := http.Post(url+"/networks/create", "application/json", strings.NewReader(`{"Name":"theirs"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := rec.lines(); len(got) != 2 || resp.StatusCode != http.StatusConflict {
		t.Errorf("got %d, and the engine gets %q", resp.StatusCode, got)
	}
}
