package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"
)

// A victim is what another owner has on the engine, by every word for it.
type victim struct {
	*guard
	container, exec, image, network, volume string   // full IDs, the volume's name
	names                                   []string // names and parts of IDs that nobody else may read
	refs                                    map[string][]string
}

// newVictim makes one of everything.
func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{guard: newGuard(t)}
	db := v.background(t, "sleep 300", "--name", "db-"+v.owner)
	name, network, repo := "web-"+v.owner, "net-"+v.owner, "repo-"+v.owner
	v.container = v.background(t, "sleep 300", "--name", name, "--link", db+":alias", "-v", "vol-"+v.owner+":/v", "-e", "SECRET=tell-"+v.owner)
	v.network = v.docker(t, "network", "create", network).ok()
	v.volume = "vol-" + v.owner
	v.image = v.docker(t, "commit", db, repo+":v1").ok()
	v.exec = between(v.http(t, "POST", "/containers/"+v.container+"/exec", `{"Cmd":["id"]}`).body, `"Id":"`, `"`)
	if v.exec == "" {
		t.Fatal("no exec was made")
	}
	imageID := strings.TrimPrefix(v.image, "sha256:")
	v.refs = map[string][]string{
		"containers": {v.container, v.container[:12], v.container[:5], name, name + "/alias", db},
		"exec":       {v.exec},
		"images":     {v.image, imageID, imageID[:12], repo + ":v1", "docker.io/library/" + repo + ":v1"},
		"networks":   {v.network, v.network[:12], network},
		"volumes":    {v.volume},
	}
	v.names = []string{v.owner, v.container[:12], v.exec[:12], imageID[:12], v.network[:12], db[:12]}
	return v
}

// between is the text between two others.
func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

// missingLike is a word of the same form that names nothing.
func missingLike(ref string) string {
	id := make([]byte, 32)
	rand.Read(id)
	hexed := hex.EncodeToString(id)
	bare := strings.TrimPrefix(ref, "sha256:")
	switch prefix := strings.TrimSuffix(ref, bare); {
	case strings.Trim(bare, "0123456789abcdef") == "":
		return prefix + hexed[:len(bare)]
	case strings.Contains(ref, "/alias"):
		return "none-" + hexed[:10] + "/alias"
	case strings.Contains(ref, ":"):
		return strings.TrimSuffix(ref, ref[strings.LastIndexByte(ref, '/')+1:]) + "none-" + hexed[:10] + ":v1"
	}
	return "none-" + hexed[:10]
}

// unharmed fails the test unless all the victim has is there as it was.
func (v *victim) unharmed(t *testing.T) {
	t.Helper()
	if got := v.docker(t, "inspect", "-f", "{{.State.Status}} {{.RestartCount}} {{.Name}}", v.container).ok(); got != "running 0 /web-"+v.owner {
		t.Errorf("the victim's container is %q", got)
	}
	v.docker(t, "network", "inspect", v.network).ok()
	v.docker(t, "volume", "inspect", v.volume).ok()
	v.docker(t, "image", "inspect", "repo-"+v.owner+":v1").ok()
}
