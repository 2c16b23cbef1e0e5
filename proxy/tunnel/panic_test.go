package tunnel

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A faulty connection panics in Read.
type faulty struct{ net.Conn }

func (faulty) Read([]byte) (int, error) { panic("boom") }

// A panic in either direction closes both connections and is the error of the joint. It
// does not end the process.
func TestJoinPanics(t *testing.T) {
	for name, wrap := range map[string]func(client, engine net.Conn) (net.Conn, net.Conn){
		"client": func(client, engine net.Conn) (net.Conn, net.Conn) { return faulty{client}, engine },
		"engine": func(client, engine net.Conn) (net.Conn, net.Conn) { return client, faulty{engine} },
	} {
		client, clientEnd := newDuplex()
		engine, engineEnd := newDuplex()
		go io.Copy(io.Discard, client)
		go io.Copy(io.Discard, engine)
		ended := make(chan error, 1)
		go func() {
			c, e := wrap(clientEnd, engineEnd)
			ended <- join(c, e, nil, nil)
		}()
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "boom") {
				t.Errorf("%s: got %v, want the panic", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the joint does not end", name)
		}
		for _, c := range []net.Conn{client, engine} {
			if _, err := c.Write(make([]byte, 1)); err == nil {
				t.Errorf("%s: a connection is open", name)
			}
		}
	}
}
