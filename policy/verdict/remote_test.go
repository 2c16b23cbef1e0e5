package verdict

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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

// An address that is not public is refused unless it is granted.
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
