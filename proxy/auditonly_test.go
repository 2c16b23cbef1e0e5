package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// TestAuditOnlyPassesBodies: a policy that only watches sends what it would
// refuse as it came, blank bodies too.
func TestAuditOnlyPassesBodies(t *testing.T) {
	rec := &recorder{answers: map[string]http.HandlerFunc{"POST /containers/create": answer(`{"Id":"x"}`), "POST /swarm/init": answer(`"x"`)}}
	base := guardOf(t, rec, verdict.Policy{AuditOnly: true})
	for _, tt := range []struct{ path, body string }{
		{"/v1.41/containers/create", `{"Image":"a","HostConfig":{"Privileged":true}}`},
		{"/v1.41/containers/create", `not JSON`},
		{"/v1.41/containers/create", ""},
		{"/v1.41/swarm/init", `{"ListenAddr":"0.0.0.0"}`},
		{"/v1.41/containers/create", `{"Image":"` + strings.Repeat("a", 5<<20) + `"}`},
		{"/v1.41/containers/create", `[` + strings.Repeat("1,", 60_000) + `1]`},
		{"chunked /v1.41/containers/create", `{"Image":"` + strings.Repeat("a", 5<<20) + `"}`},
	} {
		body := io.Reader(strings.NewReader(tt.body))
		path, chunked := strings.CutPrefix(tt.path, "chunked ")
		if chunked {
			body = io.MultiReader(body) // whose length is not known
		}
		resp, err := http.Post(base+path, "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s with %q: got %s: %s", tt.path, tt.body[:min(len(tt.body), 100)], resp.Status, text)
			continue
		}
		if got := rec.last(t).Body; got != tt.body {
			t.Errorf("%s: the engine gets another body: %.100q, of %d bytes", tt.path, got, len(got))
		}
	}
	resp, err := http.Post(base+"/v1.41/containers/create", "application/json", strings.NewReader(" \n"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := rec.last(t).Body; resp.StatusCode != http.StatusOK || strings.TrimSpace(got) != "" {
		t.Errorf("a blank body: got %s, the engine gets %q", resp.Status, got)
	}
}
