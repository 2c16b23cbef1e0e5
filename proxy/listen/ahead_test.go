package listen

import (
	"net"
	"path/filepath"
	"testing"
)

// A server that waits for its client to leave holds no buffer.
func TestAheadOfOneByte(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := Ahead(ln).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := client.Write([]byte("abcd")); err != nil {
		t.Fatal(err)
	}
	c := server.(*Conn)
	c.ReadAhead(true)
	for _, tt := range []struct {
		size            int
		want, readAhead string
	}{{1, "a", ""}, {2, "bc", "d"}} {
		p := make([]byte, tt.size)
		n, err := c.Read(p)
		if got := string(p[:n]); err != nil || got != tt.want || string(c.rest) != tt.readAhead {
			t.Errorf("got %q, %q ahead and %v, want %q and %q", got, c.rest, err, tt.want, tt.readAhead)
		}
	}
}
