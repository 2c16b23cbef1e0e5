package engine

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

func TestLoginOf(t *testing.T) {
	text, err := json.Marshal(map[string]map[string]string{
		"https://index.docker.io/v1/": {"username": "hub"},
		"docker.io":                   {"username": "no"},
		"localhost:5000":              {"username": "local"},
		"https://ghcr.io/v2/":         {"username": "gh"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"docker.io": "hub", "localhost:5000": "local", "ghcr.io": "gh", "localhost": "", "index.docker.io": "hub",
	} {
		got, err := base64.URLEncoding.DecodeString(loginOf(base64.URLEncoding.EncodeToString(text), host))
		if err != nil {
			t.Fatal(err)
		}
		if want != "" {
			want = `{"username":"` + want + `"}`
		}
		if string(got) != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
	for _, logins := range []string{"", "!", "bm8="} {
		if got := loginOf(logins, "docker.io"); got != "" {
			t.Errorf("%q: got %q", logins, got)
		}
	}
}
