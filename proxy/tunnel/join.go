package tunnel

import (
	"io"
	"net"
	"sync/atomic"
	"time"

	"sockguard/proxy/internal/crash"
)

// lastWord is how long a joint stays open for a silent client after the engine has
// ended its direction. Attach and exec are over then, and clients close at once; one
// that does not must not hold a connection for ever.
const lastWord = 10 * time.Second

// A joint copies between a client's and an engine's connection. Each direction ends by
// itself. The joint ends when both directions have ended or a side has left:
//
//   - When the engine ends its direction, the client sees the end. It may go on
//     sending, but not be silent for longer than lastWord.
//   - When the client ends its direction, the engine sees the end. It goes on sending
//     until it ends its direction or the client leaves.
//   - When the client leaves, the engine's connection is closed, so that the engine
//     releases what an attach holds.
//
// A joint between sockets holds no buffer while both sides are silent.
type joint struct {
	client, engine net.Conn
	engineDone     atomic.Bool
}

// join copies in both directions until the joint ends. It first writes head to the
// client and early to the engine. It closes both connections. An error is a panic.
func join(client, engine net.Conn, head, early []byte) (err error) {
	j := &joint{client: client, engine: engine}
	defer j.close()
	defer crash.Error(&err)
	if _, err := client.Write(head); err != nil {
		return nil
	}
	clientDone := make(chan error, 1)
	go func() {
		err := j.toEngine(early)
		if err != nil {
			j.close()
		}
		clientDone <- err
		if waitGone(client) {
			engine.Close()
		}
	}()
	j.toClient()
	return <-clientDone
}

// toClient copies until the engine ends its direction or the client leaves.
func (j *joint) toClient() {
	if _, err := copyConn(j.client, j.engine, func() {}); err != nil {
		j.close()
		return
	}
	j.engineDone.Store(true)
	j.extend()
	closeWrite(j.client)
}

// toEngine copies until the client ends its direction or leaves. An error is a panic.
func (j *joint) toEngine(early []byte) (err error) {
	defer crash.Error(&err)
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
		// The engine reads no more but may go on sending. If the client's connection
		// were closed with unread bytes, a reset could drop the engine's last bytes.
		_, rerr = io.Copy(io.Discard, j.client)
	}
	if rerr != nil {
		j.close()
		return nil
	}
	closeWrite(j.engine)
	return nil
}

// extend gives the client lastWord to send more, and the engine to take it.
func (j *joint) extend() {
	t := time.Now().Add(lastWord)
	j.client.SetReadDeadline(t)
	j.engine.SetWriteDeadline(t)
}

func (j *joint) close() {
	j.client.Close()
	j.engine.Close()
}

// closeWrite closes the writing side of c, or all of c if it has no sides: its peer
// would wait for the end for ever.
func closeWrite(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
		return
	}
	c.Close()
}
