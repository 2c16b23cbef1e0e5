package engine

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// A name may pass from one container that is being made to the next one, by another guard
// of the owner's. Nobody gets one of them before it is checked.
func TestNameOfContainersThatAreMade(t *testing.T) {
	makers := make(chan func(accepted bool), 3)
	begin := func() { makers <- NewClient(nil).Making(WithCaller(context.Background(), &Caller{Owner: "me"})) }
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if asked <= 3 { // the container goes, and the next one has its name
			begin()
			go func() { (<-makers)(false) }()
		}
		fmt.Fprintf(w, `{"Id":"%s"}`, strings.Repeat(fmt.Sprint(min(asked, 3)), idSize))
	}))
	defer s.Close()
	c := NewClient(func(ctx context.Context) (net.Conn, error) { return net.Dial("tcp", s.Listener.Addr().String()) })
	o, err := c.Inspect(WithCaller(t.Context(), &Caller{Owner: "me"}), verdict.Container, "web")
	if err != nil || asked != 4 || o.ID != strings.Repeat("3", idSize) {
		t.Errorf("got %s and %v after %d answers", o.ID, err, asked)
	}
}
