package fetch

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// A panic while a host is looked up is an error of the fetch.
func TestFetchPanics(t *testing.T) {
	u, err := url.Parse("http://example.com/context.tar")
	if err != nil {
		t.Fatal(err)
	}
	grants, err := verdict.ParseRemoteGrants([]string{"example.com"})
	if err != nil {
		t.Fatal(err)
	}
	f := New(&verdict.Policy{Grants: verdict.Grants{Remotes: grants}})
	f.dialer.lookup = func(context.Context, string, string) ([]netip.Addr, error) { panic("boom") }
	r, err := http.NewRequest("POST", "/build", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Fetch(r, &verdict.Decision{Remote: &verdict.Remote{URL: u}})
	if err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("got %v, want the panic", err)
	}
}
