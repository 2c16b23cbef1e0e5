package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	} {
		resp, err := http.Post(base+tt.path, "application/json", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s with %q: got %s: %s", tt.path, tt.body, resp.Status, text)
			continue
		}
		if diff := cmp.Diff(tt.body, rec.last(t).Body); diff != "" {
			t.Errorf("%s: the engine gets another body: %s", tt.path, diff)
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
