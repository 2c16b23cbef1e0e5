package tunnel

import (
	"bytes"
	"io"
	"testing"
	"time"

	"sockguard/proxy/internal/testnet"
)

// TestNetstackResetTunnel: a reset closes the engine's connection at once, with
// no further byte from either side.
func TestNetstackResetTunnel(t *testing.T) {
	n := testnet.Netstack(t)
	ended := serveTunnels(t, n.Net)
	c := n.DialResetting(t)
	engine := switchProtocols(t, n.Net, c)
	c.Close()
	if _, err := io.Copy(io.Discard, engine); err != nil {
		t.Errorf("engine read: %v", err)
	}
	wait(t, ended)
}

// TestNetstackSlowReader: a client that does not read stops the engine; nothing
// piles up between them and nothing is lost.
func TestNetstackSlowReader(t *testing.T) {
	const size = 64 << 20
	n := testnet.Netstack(t)
	serveTunnels(t, n.Net)
	c, err := n.DialProxy()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	engine := switchProtocols(t, n.Net, c)
	block := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	sent := 0
	for engine.SetWriteDeadline(time.Now().Add(time.Second)) == nil {
		m, err := engine.Write(block)
		sent += m
		if err != nil {
			break
		}
		if sent > size {
			t.Fatalf("%d bytes went nowhere", sent)
		}
	}
	engine.Close()
	got, err := io.Copy(io.Discard, c)
	if err != nil || got != int64(sent) {
		t.Errorf("got %d bytes and %v, want %d", got, err, sent)
	}
}
