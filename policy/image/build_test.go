package image

import (
	"strings"
	"testing"
)

func TestParseRemote(t *testing.T) {
	const git = "error: the remote context is a git repository, which sockguard does not fetch; send its files: git archive"
	for _, tt := range []struct{ text, want string }{
		{"https://h/x.tar.gz", "https://h/x.tar.gz"},
		{"http://h:8080/Dockerfile?token=1", "http://h:8080/Dockerfile?token=1"},
		{"https://h/x.tar#part", "https://h/x.tar"},
		{"https://h/x.git#", "https://h/x.git"},
		{"https://h/x.git?a=b", "https://h/x.git?a=b"},
		{"https://h/xgit", "https://h/xgit"},
		{"https://h/x.git", git},
		{"https://u:p@h/x.git#v1", git},
		{"https://h/x.git#:sub/dir", git},
		{"https://h/x.tar#y.git", git},
		{"git://h/x", git},
		{"github.com/user/x#main", git},
		{"git@github.com:user/x.git", git},
		{"ssh://git@h/x.git", git},
		{"client-session", "error: a remote context is the URL"},
		{"HTTP://h/x", "error: a remote context is the URL"},
		{"file:///etc/passwd", "error: a remote context is the URL"},
		{"/etc", "error: a remote context is the URL"},
		{"https:///x.tar", "error: the URL of the remote context cannot be read"},
		{"https://h:x/y", "error: the URL of the remote context cannot be read"},
		{"https://h/x%00y", "error: the URL of the remote context cannot be read"},
		{"https://user:secret@h%zz/x", "error: the URL of the remote context cannot be read; write https://host/path"},
	} {
		var got string
		if r, err := parseRemote(tt.text); err != nil {
			got = "error: " + err.Error()
		} else {
			got = r.URL.String()
		}
		if got != tt.want && (!strings.HasPrefix(tt.want, "error: ") || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestRemoteShowsNoSecrets(t *testing.T) {
	r, err := parseRemote("https://user:secret@h/x.tar?sig=secret")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.String(), "https://h/x.tar"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
