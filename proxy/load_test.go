package proxy

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sockguard/policy/verdict"
	"sockguard/proxy/internal/testtar"
	"sockguard/rewrite/load"
)

// An image that is loaded reaches the engine as the owner's; one that is refused
// reaches it as a broken stream, and the client learns why.
func TestLoadIsLabelled(t *testing.T) {
	taken := map[string]http.HandlerFunc{
		"GET /images/theirs:1/json": answer(`{"Id":"sha256:1","Config":{"Labels":{"com.buildkite.sockguard.owner":"team-b"}}}`),
		"POST /images/load":         answer(`{"stream":"Loaded image: a:1\n"}`),
	}
	manifest := func(name string) string { return `[{"Config":"c","RepoTags":["` + name + `"],"Layers":[]}]` }
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"labelled", testtar.Make(t, "c", "{}", "manifest.json", manifest("a:1")), 200, `{"stream":"Loaded image: a:1\n"}`},
		{"no manifest", testtar.Make(t, "a/json", "{}"), 400, `"message":"sockguard: the image archive has neither manifest.json nor index.json`},
		{"foreign name", testtar.Make(t, "c", "{}", "manifest.json", manifest("theirs:1")), 403, `"message":"sockguard: image name theirs:1 is taken`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, client := guarded(t, taken)
			status, _, text := send(t, client, "POST", "/v1.41/images/load?quiet=0", "application/x-www-form-urlencoded", tt.body)
			if status != tt.status || !strings.Contains(text, tt.want) {
				t.Fatalf("got %d %s, want %d and %q", status, text, tt.status, tt.want)
			}
			if status != 200 {
				return
			}
			got := rec.requests[0] // an interim name that no message tells is removed after it
			if ct := got.Header.Get("Content-Type"); ct != "application/x-tar" {
				t.Errorf("got Content-Type %q", ct)
			}
			config := strings.Split(testtar.Text(t, got.Body, "manifest.json"), `"`)[3]
			if text := testtar.Text(t, got.Body, config); text != `{"config":{"Labels":{"com.buildkite.sockguard.owner":"team-a"}}}` {
				t.Errorf("the engine gets the configuration %s", text)
			}
		})
	}
}

// A policy that only watches lets an image take a name, and logs that it would
// not; a failure to find out is no verdict.
func TestWatchedLoadTakesNames(t *testing.T) {
	var log strings.Builder
	failure := errors.New("engine gone")
	verdicts := map[string]error{"theirs:1": &verdict.Denied{Rule: "tag", Message: "theirs:1 is taken"}, "x:1": failure}
	load := &load.Options{Tag: func(ref string) error { return verdicts[ref] }}
	x := &exchange{request: &verdict.Request{Route: &verdict.Route{}}, decision: &verdict.Decision{Load: load}}
	g := &Guard{Policy: &verdict.Policy{AuditOnly: true}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	g.excuseUpload(httptest.NewRequest("POST", "/images/load", nil), x)
	if err := load.Tag("theirs:1"); err != nil || !strings.Contains(log.String(), "theirs:1 is taken") {
		t.Errorf("got error %v and the log %q", err, log.String())
	}
	if err := load.Tag("x:1"); err != failure {
		t.Errorf("got error %v, want %v", err, failure)
	}
}
