package listen

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A browser connects to a TCP socket for any web page.
func TestWebPages(t *testing.T) {
	names := []string{"docker.example.com"}
	tcp := context.WithValue(t.Context(), http.LocalAddrContextKey, &net.TCPAddr{})
	unix := context.WithValue(t.Context(), http.LocalAddrContextKey, &net.UnixAddr{})
	for _, host := range []string{
		"127.0.0.1:2375", "[::1]:2375", "[::1]", "10.0.0.5", "docker:2375", "localhost", "host.docker.internal:2375", "build.local.", "DOCKER.example.com:2375", "",
	} {
		r := httptest.NewRequest("GET", "/_ping", nil).WithContext(tcp)
		r.Host = host
		if err := CheckPage(r, names); err != nil {
			t.Errorf("Host %q: got %v", host, err)
		}
	}
	for name, edit := range map[string]func(*http.Request){
		"name of a page":   func(r *http.Request) { r.Host = "evil.test:2375" },
		"longer name":      func(r *http.Request) { r.Host = "docker.example.com.evil.test" },
		"number like":      func(r *http.Request) { r.Host = "127.0.0.1.evil.test" },
		"Origin":           func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:2375") },
		"empty Origin":     func(r *http.Request) { r.Header.Set("Origin", "") },
		"other site":       func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"same-origin page": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") },
	} {
		r := httptest.NewRequest("GET", "/_ping", nil).WithContext(tcp)
		r.Host = "localhost:2375"
		edit(r)
		if err := CheckPage(r, names); err == nil {
			t.Errorf("%s: passes", name)
		}
		if err := CheckPage(r.WithContext(unix), names); err != nil {
			t.Errorf("%s over a unix socket: got %v", name, err)
		}
	}
}
