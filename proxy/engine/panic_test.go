package engine

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A panic while the engine is dialled is an error of the request, also in the
// goroutine of a transport.
func TestDialPanics(t *testing.T) {
	c := NewClient(func(context.Context) (net.Conn, error) { panic("boom") })
	r, err := http.NewRequest("GET", "http://docker/_ping", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.RoundTrip(r); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("got %v, want the panic", err)
	}
}
