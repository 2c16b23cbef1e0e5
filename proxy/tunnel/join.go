package tunnel

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// lastWord is how long a client that says nothing keeps a joint after the engine
// has said all: attach and exec are over then, and a client that has seen the
// end closes at once. One that does not must not hold a connection for ever.
const lastWord = 10 * time.Second

// A joint is a client and an engine connection that copy to each other. Each
// direction ends by itself and passes its end on; the joint ends when both have
// ended or either side is gone:
//
//   - The engine ends its direction, or dies: the client sees the end, and may go
//     on sending for as long as it does send (lastWord).
//   - The client ends its direction: the engine sees the end, and goes on sending
//     until it ends too or the client is gone.
//   - The client is gone: the engine's connection is closed, so that it releases
//     what an attach holds.
//
// An idle joint on sockets holds no buffer.
type joint struct {
	client, engine net.Conn
	engineDone     atomic.Bool
}

// join copies both ways until the joint ends: first head to the client and early
// to the engine. It closes both connections.
func join(client, engine net.Conn, head, early []byte) {
	j := &joint{client: client, engine: engine}
	defer j.close()
	if _, err := client.Write(head); err != nil {
		return
	}
	clientDone := make(chan struct{})
	go func() {
		j.toEngine(early)
		close(clientDone)
		if waitGone(client) {
			engine.Close()
		}
	}()
	j.toClient()
	<-clientDone
}

// toClient copies until the engine has said all or the client is gone.
func (j *joint) toClient() {
	if _, err := copyConn(j.client, j.engine, func() {}); err != nil {
		j.close()
		return
	}
	j.engineDone.Store(true)
	j.extend()
	closeWrite(j.client)
}

// toEngine copies until the client has said all or is gone.
func (j *joint) toEngine(early []byte) {
	_, werr := j.engine.Write(early)
	var rerr error
	if werr == nil {
		rerr, werr = copyConn(j.engine, j.client, func() {
			if j.engineDone.Load() {
				j.extend()
			}
		})
	}
	if werr != nil {
		// The engine takes no more but may still have much to say. A client
		// closed with unread bytes would lose the end of it to a reset.
		_, rerr = io.Copy(io.Discard, j.client)
	}
	if rerr != nil {
		j.close()
		return
	}
	closeWrite(j.engine)
}

// extend gives the client another lastWord, and the engine as long to take it.
func (j *joint) extend() {
	t := time.Now().Add(lastWord)
	j.client.SetReadDeadline(t)
	j.engine.SetWriteDeadline(t)
}

func (j *joint) close() {
	j.client.Close()
	j.engine.Close()
}

// closeWrite ends one direction of c: unix, TCP, TLS and netstack connections
// can. A connection that cannot is closed, since its peer would wait for ever.
func closeWrite(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
		return
	}
	c.Close()
}
