package proxy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/proxy/internal/testtar"
	"sockguard/rewrite/buildcontext"
)

func TestBuildIsRebuilt(t *testing.T) {
	rec, client := guarded(t, nil)
	query := url.Values{
		"dockerfile": {"Other"}, "labels": {`{"a":"b"}`}, "rm": {"0"}, "t": {"mine:1", "mine:2"}, "buildargs": {`{"X":null}`},
	}
	status, _, text := send(t, client, "POST", "/v1.41/build?"+query.Encode(), "application/x-www-form-urlencoded",
		testtar.Make(t, "Other", "FROM scratch\nCOPY . /\n", "data", "dockerfile=Evil&remote=http://evil/"))
	if status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	got := rec.last(t)
	want := "POST /v1.41/build?" + url.Values{
		"buildargs": {`{"X":null}`}, "cgroupparent": {"/ci"}, "dockerfile": {".sockguard.Dockerfile"}, "forcerm": {"1"},
		"labels": {`{"a":"b","com.buildkite.sockguard.owner":"team-a"}`}, "rm": {"1"},
	}.Encode()
	if got.Line != want {
		t.Errorf("got %s\nwant %s", got.Line, want)
	}
	if ct := got.Header.Get("Content-Type"); ct != "application/x-tar" {
		t.Errorf("got Content-Type %q", ct)
	}
	if d := testtar.Text(t, got.Body, buildcontext.DockerfileName); d != "FROM scratch\nLABEL 'com.buildkite.sockguard.owner'='team-a'\nCOPY . /\n" {
		t.Errorf("got Dockerfile %q", d)
	}
}

// A refusal while the upload runs leaves the engine with a broken stream, and
// the client with the reason.
func TestRefusedUploadIsBroken(t *testing.T) {
	rec, client := guarded(t, nil)
	status, _, text := send(t, client, "POST", "/build", "", testtar.Make(t,
		"big", strings.Repeat("x", 1<<20), "Dockerfile", "FROM scratch\nLABEL com.buildkite.sockguard.owner=evil\n", "tail", strings.Repeat("y", 1<<20)))
	if status != 400 || !strings.Contains(text, `"message":"sockguard: Dockerfile line 2: LABEL`) {
		t.Errorf("got %d %s", status, text)
	}
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		rec.mu.Lock()
		n := len(rec.requests)
		rec.mu.Unlock()
		if n > 0 {
			break
		}
		if time.Since(start) > 10*time.Second {
			t.Fatal("the engine still waits for the context")
		}
	}
	if got := rec.last(t); got.Err == nil {
		t.Error("the engine got a complete body")
	}
}

// An engine that has begun to answer when the upload is refused has its answer
// end with the reason. The log has a denial then.
func TestRefusalAfterTheHead(t *testing.T) {
	var log bytes.Buffer
	dial := serveLogged(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			io.WriteString(w, `{"Version":"29.0.0","ApiVersion":"1.52"}`)
			return
		}
		http.NewResponseController(w).EnableFullDuplex()
		io.WriteString(w, "{\"stream\":\"hello\"}\n")
		http.NewResponseController(w).Flush()
		io.Copy(io.Discard, r.Body)
	}), slog.New(slog.NewTextHandler(&log, nil)))
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := testtar.Make(t, "Dockerfile", "FROM scratch\nLABEL com.buildkite.sockguard.owner=evil\n")
	fmt.Fprintf(c, "POST /build HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:512])
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, body[512:])
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var last struct{ Error string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || !strings.HasPrefix(last.Error, "sockguard: Dockerfile line 2") {
		t.Errorf("got %q", text)
	}
	if l := log.String(); strings.Count(l, "verdict=deny") != 1 || strings.Contains(l, "msg=cut") {
		t.Errorf("got the log\n%s", l)
	}
}

func TestDenials(t *testing.T) {
	rec, client := guarded(t, nil)
	for _, tt := range []struct {
		method, target string
		status         int
		want           string
	}{
		{"POST", "/build?remote=https://x/y.git", 403, "remote context"},
		{"POST", "/build?version=2", 403, "DOCKER_BUILDKIT=0"},
		{"POST", "/session", 403, "DOCKER_BUILDKIT=0"},
		{"POST", "/grpc", 403, "DOCKER_BUILDKIT=0"},
		{"POST", "/build?networkmode=host", 403, "--allow-host-network"},
		{"POST", "/build?cgroupparent=/x", 403, "cgroup parent"},
		{"POST", "/build?nosuch=1", 400, `unknown parameter \"nosuch\"`},
		{"GET", "/nosuch", 501, "not a route"},
		{"POST", "/swarm/init", 403, "swarm"},
		{"POST", "/plugins/pull?remote=x", 403, "plugin"},
		{"GET", "/plugins/x/json", 404, `plugin \"x\" not found`},
		{"POST", "/images/create?fromSrc=http://x", 403, "download it yourself"},
		{"GET", "/containers/x/json", 404, "No such thing"},
		{"GET", "//containers/json", 400, "unclean path"},
	} {
		status, contentType, text := send(t, client, tt.method, tt.target, "", "")
		if status != tt.status || contentType != "application/json" || !strings.Contains(text, tt.want) {
			t.Errorf("%s %s: got %d %s %s, want %d %q", tt.method, tt.target, status, contentType, text, tt.status, tt.want)
		}
	}
	if len(rec.requests) != 0 {
		t.Errorf("%d requests reached the engine", len(rec.requests))
	}
}

// What reaches the engine holds nothing of the client's but what was decided.
func TestRequestsAreRebuilt(t *testing.T) {
	own := `{"Id":"` + strings.Repeat("a", 64) + `","Config":{"Labels":{"com.buildkite.sockguard.owner":"team-a"}}}`
	rec, client := guarded(t, map[string]http.HandlerFunc{"GET /containers/web/json": answer(own)})
	r, err := http.NewRequest("POST", "http://guard/containers/web/kill?signal=9&signal=15", strings.NewReader("signal=1"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Connection": {"X-Secret"}, "X-Secret": {"1"}, "Te": {"trailers"},
		"Upgrade": {"h2c"}, "Expect": {"100-continue"}, "X-Registry-Auth": {"e30="}, "X-Meta-A": {"b"}, "User-Agent": {"test"},
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := rec.last(t)
	want := recorded{
		Line: "POST /v1.51/containers/" + strings.Repeat("a", 64) + "/kill?signal=9",
		Header: http.Header{
			"Content-Length": {"0"}, "X-Registry-Auth": {"e30="}, "X-Meta-A": {"b"}, "User-Agent": {"test"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestListsAreFiltered(t *testing.T) {
	const images = `[{"Id":"1","Labels":null},{"Id":"2","Labels":{"com.buildkite.sockguard.owner":"team-a"}},{"Id":"3","Labels":{"com.buildkite.sockguard.owner":"b"}}]`
	const networks = `[{"Name":"bridge","Labels":{}},{"Name":"x","Labels":{}},{"Name":"y","Labels":{"com.buildkite.sockguard.owner":"team-a"}}]`
	rec, client := guarded(t, map[string]http.HandlerFunc{"GET /images/json": answer(images), "GET /networks": answer(networks), "GET /containers/json": answer("[]")})
	for target, want := range map[string]string{
		"/images/json": `[{"Id":"1","Labels":null},{"Id":"2","Labels":{"com.buildkite.sockguard.owner":"team-a"}}]` + "\n",
		"/networks":    `[{"Name":"bridge","Labels":{}},{"Name":"y","Labels":{"com.buildkite.sockguard.owner":"team-a"}}]` + "\n",
	} {
		if _, _, got := send(t, client, "GET", target, "", ""); got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
	send(t, client, "GET", `/containers/json?filters={"label":{"a":true}}`, "", "")
	if got, want := rec.last(t).Line, "GET /v1.51/containers/json?filters="+url.QueryEscape(`{"label":["a","com.buildkite.sockguard.owner=team-a"]}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Each event leaves at once, and only the owner's do.
func TestEventsStream(t *testing.T) {
	next := make(chan string)
	_, client := guarded(t, map[string]http.HandlerFunc{
		"GET /events": func(w http.ResponseWriter, _ *http.Request) {
			for e := range next {
				io.WriteString(w, e)
				http.NewResponseController(w).Flush()
			}
		},
		"GET /networks/n1": answer(`{"Id":"n1","Labels":{"com.buildkite.sockguard.owner":"team-a"}}`),
	})
	go func() {
		next <- `{"Type":"container","Actor":{"ID":"c2","Attributes":{"com.buildkite.sockguard.owner":"b"}}}` + "\n"
	}()
	resp, err := client.Get("http://guard/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for _, tt := range []struct{ sent, want string }{
		{`{"Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"com.buildkite.sockguard.owner":"team-a"}}}`, "c1"},
		{`{"Type":"network","Action":"create","Actor":{"ID":"n1","Attributes":{}}}`, "n1"},
		{`{"Type":"volume","Action":"create","Actor":{"ID":"v1","Attributes":{}}}{"Type":"network","Action":"destroy","Actor":{"ID":"n1"}}`, "n1"},
	} {
		next <- tt.sent
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		var e struct{ Actor struct{ ID string } }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Actor.ID != tt.want {
			t.Errorf("sent %s: got %s, want %s", tt.sent, lines.Bytes(), tt.want)
		}
	}
	close(next)
}

// An answer that the engine breaks off does not reach the client as complete,
// filtered or not.
func TestCutAnswerStaysCut(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `[{"Labels":{}},`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, client := guarded(t, map[string]http.HandlerFunc{"GET /images/search": cut, "GET /images/json": cut})
	for _, target := range []string{"/images/search", "/images/json"} {
		resp, err := client.Get("http://guard" + target)
		if err != nil {
			continue // cut before its head was sent
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("%s: got a complete answer %q", target, text)
		}
	}
}

// A volume that somebody else made between look and request is not handed out,
// and a conflict does not tell whose ID has the name.
func TestAnswersGiveNothingAway(t *testing.T) {
	foreign := strings.Repeat("f", 64)
	_, client := guarded(t, map[string]http.HandlerFunc{
		"POST /volumes/create": answer(`{"Name":"v","Mountpoint":"/secret","Labels":{"com.buildkite.sockguard.owner":"b"}}`),
		"GET /volumes/v": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"message":"get v: no such volume"}`)
		},
		"GET /volumes/sockguard-asks-for-nothing": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"message":"get sockguard-asks-for-nothing: no such volume"}`)
		},
		"POST /networks/create": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			io.WriteString(w, `{"message":"The name \"/x\" is already in use by container \"`+foreign+`\"."}`)
		},
	})
	for _, tt := range []struct {
		target, body string
		status       int
		want         string
	}{
		{"/volumes/create", `{"Name":"v"}`, 403, "volume name v is taken"},
		{"/networks/create", `{"Name":"x"}`, 409, `by container \"[hidden]\"`},
	} {
		status, _, text := send(t, client, "POST", tt.target, "application/json", tt.body)
		if status != tt.status || !strings.Contains(text, tt.want) || strings.Contains(text, "/secret") || strings.Contains(text, foreign) {
			t.Errorf("%s: got %d %s, want %d %s", tt.target, status, text, tt.status, tt.want)
		}
	}
}

// A JSON body comes with the type that engines demand.
func TestTypeOfJSON(t *testing.T) {
	for kind, passes := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/JSON": true,
		"": false, "text/plain": false, "text/plain; application/json": false, "application/jsonx": false, "application/json, text/plain": false,
	} {
		r := httptest.NewRequest("POST", "/commit", nil)
		r.Header.Set("Content-Type", kind)
		if err := checkJSON(r); (err == nil) != passes {
			t.Errorf("%q: got %v", kind, err)
		}
	}
}
