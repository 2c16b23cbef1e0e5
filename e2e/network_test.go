package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"sockguard/e2e/engine"
)

// ownerOf asks the engine itself for an object's owner label.
func ownerOf(t *testing.T, kind, name string) string {
	t.Helper()
	format := `{{index .Labels "` + engine.OwnerLabel + `"}}`
	if kind == "container" || kind == "image" {
		format = `{{index .Config.Labels "` + engine.OwnerLabel + `"}}`
	}
	return e2e.unguarded(t, kind, "inspect", "-f", format, name)
}

func TestNetworks(t *testing.T) {
	need(t)
	g := newGuard(t)
	name := "net-" + g.owner
	g.docker(t, "network", "create", "--label", "a=b", name).ok()
	if got := ownerOf(t, "network", name); got != g.owner {
		t.Errorf("network: owner %q, want %q", got, g.owner)
	}
	g.background(t, "mkdir /w; echo served > /w/f; httpd :8080 /w", "--network", name, "--network-alias", "web")
	if got := g.docker(t, "run", "--rm", "--network", name, e2e.common, "wget", "http://web:8080/f").ok(); got != "served" {
		t.Errorf("by its alias the server says %q", got)
	}
	late := g.background(t, "sleep 300", "--name", "late-"+g.owner)
	g.docker(t, "network", "connect", "--alias", "other", name, late).ok()
	if got := g.docker(t, "exec", late, "wget", "http://web:8080/f").ok(); got != "served" {
		t.Errorf("after connecting, the server says %q", got)
	}
	g.docker(t, "network", "disconnect", name, late).ok()
}

func TestPublishedPorts(t *testing.T) {
	need(t)
	g := newGuard(t)
	id := g.background(t, "mkdir /w; echo served > /w/f; httpd :8080 /w", "-p", "127.0.0.1::8080")
	address := g.docker(t, "port", id, "8080").ok()
	var body []byte
	eventually(t, func() bool {
		resp, err := http.Get("http://" + address + "/f")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err = io.ReadAll(resp.Body)
		return err == nil
	})
	if string(body) != "served\n" {
		t.Errorf("the published port says %q", body)
	}
}

func TestVolumes(t *testing.T) {
	need(t)
	g := newGuard(t)
	created, implied := "vol-"+g.owner, "implied-"+g.owner
	g.docker(t, "volume", "create", created).ok()
	g.docker(t, "run", "--rm", "-v", created+":/v", e2e.common, "sh", "-c", "echo kept > /v/f").ok()
	if got := g.docker(t, "run", "--rm", "-v", created+":/v:ro", e2e.common, "cat", "/v/f").ok(); got != "kept" {
		t.Errorf("the volume holds %q", got)
	}
	id := g.background(t, "true", "-v", implied+":/v", "-v", "/anonymous", "--mount", "type=volume,target=/mounted")
	mounts := g.docker(t, "inspect", "-f", `{{range .Mounts}}{{println .Name}}{{end}}`, id).ok()
	names := append(strings.Fields(mounts), created)
	if len(names) != 4 {
		t.Fatalf("mounts are %q, want 3", mounts)
	}
	for _, name := range names {
		if got := ownerOf(t, "volume", name); got != g.owner {
			t.Errorf("volume %s: owner %q, want %q", name, got, g.owner)
		}
	}
	g.docker(t, "rm", "-fv", id).ok()
	g.docker(t, "volume", "rm", created, implied).ok()
}

func TestBinds(t *testing.T) {
	need(t)
	shared, closed := t.TempDir(), t.TempDir()
	g := newGuard(t, "--allow-bind", shared)
	g.docker(t, "run", "--rm", "-v", shared+":/s", e2e.common, "sh", "-c", "echo bound > /s/f").ok()
	if got := g.docker(t, "run", "--rm", "-v", shared+"/f:/f:ro", e2e.common, "cat", "/f").ok(); got != "bound" {
		t.Errorf("the bound file holds %q", got)
	}
	g.docker(t, "run", "--rm", "-v", closed+":/s", e2e.common, "id").fails("sockguard", closed)
	g.docker(t, "run", "--rm", "--privileged", e2e.common, "id").fails("sockguard")
}
