package verdict

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flat is a Remote or an error as one line.
func flat(r *Remote, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	kind := "file "
	if r.Git {
		kind = "git "
	}
	return strings.TrimRight(kind+r.URL.String()+" "+r.Ref+" "+r.Subdir, " ")
}

func TestParseRemote(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"https://h/x.tar.gz", "file https://h/x.tar.gz"},
		{"http://h:8080/Dockerfile?token=1", "file http://h:8080/Dockerfile?token=1"},
		{"https://h/x.tar#part", "file https://h/x.tar"},
		{"https://h/x.git", "git https://h/x.git master"},
		{"https://u:p@h/x.git#v1", "git https://u:p@h/x.git v1"},
		{"https://h/x.git#:sub/dir", "git https://h/x.git master sub/dir"},
		{"https://h/x.git#pull/42/head:a:b", "git https://h/x.git pull/42/head a:b"},
		{"https://h/x.git#", "file https://h/x.git"},
		{"https://h/x.tar#y.git", "git https://h/x.tar y.git"},
		{"https://h/x.git?a=b", "file https://h/x.git?a=b"},
		{"https://h/xgit", "file https://h/xgit"},
		{"git://h/x", "git git://h/x master"},
		{"github.com/user/x#main", "git https://github.com/user/x main"},
		{"https://h/x.git#--upload-pack=x", "error: remote context https://h/x.git: the ref"},
		{"git@github.com:user/x.git", "error: a remote context over ssh"},
		{"ssh://git@h/x.git", "error: a remote context over ssh"},
		{"client-session", "error: a remote context is the URL"},
		{"HTTP://h/x", "error: a remote context is the URL"},
		{"file:///etc/passwd", "error: a remote context is the URL"},
		{"/etc", "error: a remote context is the URL"},
		{"https:///x.tar", "error: the URL of the remote context cannot be read"},
		{"https://h:x/y", "error: the URL of the remote context cannot be read"},
		{"git://h/x%00y", "error: the URL of the remote context cannot be read"},
		{"https://user:secret@h%zz/x", "error: the URL of the remote context cannot be read; write https://host/path"},
	} {
		if got := flat(ParseRemote(tt.text)); got != tt.want && (!strings.HasPrefix(tt.want, "error: ") || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestRemoteShowsNoSecrets(t *testing.T) {
	r, err := ParseRemote("https://user:secret@h/x.tar?sig=secret")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.String(), "https://h/x.tar"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSubmodule(t *testing.T) {
	r, err := ParseRemote("https://u:p@h/group/x.git#v1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, want string }{
		{"../y.git", "git https://u:p@h/group/y.git 1234"},
		{"./y.git", "git https://u:p@h/group/x.git/y.git 1234"},
		{"../../../../../y", "git https://u:p@h/y 1234"},
		{"https://other/y", "git https://other/y 1234"},
		{"git://other/y", "git git://other/y 1234"},
		{"git@other:y.git", "error: a remote context over ssh"},
		{"other:y.git", "error: a remote context over ssh"},
		{"ssh://other/y", "error: a remote context over ssh"},
		{"file:///etc", "error: the URL of the remote context cannot be read"},
		{"/etc", "error: the URL of the remote context cannot be read"},
		{"ext::sh -c id", "error: a remote context over ssh"},
		{"ftp://other/y", "error: a submodule of the remote context https://h/group/x.git has a URL of the scheme \"ftp\""},
	} {
		if got := flat(r.Submodule(tt.text, "1234")); got != tt.want && (!strings.HasPrefix(tt.want, "error: ") || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func grants(t *testing.T, list ...string) RemoteGrants {
	t.Helper()
	g, err := ParseRemoteGrants(list)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestRemoteHosts(t *testing.T) {
	g := grants(t, "Git.Corp.", "*.example.com", "10.1.2.3", "fd00::/8")
	for host, want := range map[string]bool{
		"git.corp": true, "GIT.corp.": true, "a.git.corp": false, "git.corp.evil.com": false, "xgit.corp": false,
		"a.example.com": true, "a.b.example.com": true, "example.com": false, "evilexample.com": false, ".example.com": false,
		"10.1.2.3": true, "10.1.2.4": false, "::ffff:10.1.2.3": true, "fd00::1": true, "fe80::1": false, "fd00::1%eth0": false,
		"8.8.8.8": false, "": false, "167838211": false,
	} {
		if got := g.Host(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
	if (RemoteGrants{}).Host("github.com") {
		t.Error("without grants a host is granted")
	}
	if !grants(t, "*").Host("github.com") {
		t.Error("* does not grant every host")
	}
}

// An address that is not public is reached by no name, unless it is granted.
func TestRemoteAddrs(t *testing.T) {
	names, more := grants(t, "*"), grants(t, "git.corp", "10.1.0.0/16", "::1", "64:ff9b::/96", "::ffff:127.0.0.1")
	for _, tt := range []struct {
		addr        string
		names, more bool
	}{
		{"8.8.8.8", true, true},
		{"::ffff:8.8.8.8", true, true},
		{"2606:4700::1111", true, true},
		{"10.1.2.3", false, true},
		{"::ffff:10.1.2.3", false, true},
		{"10.2.0.1", false, false},
		{"127.0.0.1", false, true},
		{"127.0.0.2", false, false},
		{"0.0.0.0", false, false},
		{"100.64.0.1", false, false},
		{"100.100.100.200", false, false},
		{"168.63.129.16", false, false},
		{"169.254.169.254", false, false},
		{"172.17.0.1", false, false},
		{"192.168.1.1", false, false},
		{"192.0.0.192", false, false},
		{"198.18.0.1", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		{"::", false, false},
		{"::1", false, true},
		{"::127.0.0.1", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"64:ff9b::7f00:1", false, true},
		{"64:ff9b:1::7f00:1", false, false},
		{"2001::7f00:1", false, false},
		{"2002:7f00:1::", false, false},
		{"fc00::1", false, false},
		{"fd00:ec2::254", false, false},
		{"fe80::1", false, false},
		{"fe80::1%eth0", false, false},
		{"2606:4700::1%eth0", false, false},
		{"fec0::1", false, false},
		{"ff02::1", false, false},
	} {
		a := netip.MustParseAddr(tt.addr)
		if diff := cmp.Diff([]bool{tt.names, tt.more}, []bool{names.Addr(a), more.Addr(a)}); diff != "" {
			t.Errorf("%s: %s", tt.addr, diff)
		}
	}
}

func TestParseRemoteGrants(t *testing.T) {
	for _, Bad := range []string{"https://github.com", "github.com:443", "github.com/user", "a*.com", "*.*.com", "bücher.de", "10.0.0.0/33", " h", "-h", "*."} {
		if _, err := ParseRemoteGrants([]string{Bad}); err == nil {
			t.Errorf("%q is taken for a host", Bad)
		}
	}
}
