package tunnel

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A duplex is one end of a connection on the fake clock of a synctest bubble: a
// net.Pipe for each direction, so that one of them can be closed.
type duplex struct {
	net.Conn // reads
	w        net.Conn
}

func newDuplex() (a, b duplex) {
	ar, bw := net.Pipe()
	br, aw := net.Pipe()
	return duplex{ar, aw}, duplex{br, bw}
}

func (d duplex) Write(p []byte) (int, error)        { return d.w.Write(p) }
func (d duplex) SetWriteDeadline(t time.Time) error { return d.w.SetWriteDeadline(t) }
func (d duplex) SetDeadline(t time.Time) error      { d.w.SetDeadline(t); return d.Conn.SetDeadline(t) }
func (d duplex) CloseWrite() error                  { return d.w.Close() }
func (d duplex) Close() error                       { d.w.Close(); return d.Conn.Close() }

// TestJoinLastWord: after the engine's end a client may go on, but not in
// silence, and not into an engine that takes nothing.
func TestJoinLastWord(t *testing.T) {
	tests := []struct {
		name   string
		pieces int  // what the client sends, one a second
		deaf   bool // the engine does not read
		want   time.Duration
	}{
		{"silent client", 0, false, lastWord},
		{"talking client", 60, false, 60*time.Second + lastWord},
		{"deaf engine", 60, true, lastWord},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, clientEnd := newDuplex()
				engine, engineEnd := newDuplex()
				start := time.Now()
				done := make(chan time.Duration, 1)
				go func() {
					join(clientEnd, engineEnd, nil, nil)
					done <- time.Since(start)
				}()
				if !tt.deaf {
					go io.Copy(io.Discard, engine)
				}
				engine.CloseWrite()
				if out, err := io.ReadAll(client); err != nil || len(out) > 0 {
					t.Errorf("client reads %q, %v", out, err)
				}
				for range tt.pieces {
					time.Sleep(time.Second)
					if _, err := client.Write([]byte("x")); err != nil {
						break
					}
				}
				if got := <-done; got != tt.want {
					t.Errorf("ended after %v, want %v", got, tt.want)
				}
				client.Close()
				engine.Close()
			})
		})
	}
}

// TestJoinSilence: silence alone ends nothing.
func TestJoinSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, clientEnd := newDuplex()
		engine, engineEnd := newDuplex()
		go join(clientEnd, engineEnd, nil, nil)
		time.Sleep(7 * 24 * time.Hour)
		go io.WriteString(engine, "hi")
		expect(t, "client", client, "hi")
		client.CloseWrite()
		expectEnd(t, "engine", engine, "")
		time.Sleep(7 * 24 * time.Hour)
		go func() { io.WriteString(engine, "bye"); engine.Close() }()
		expectEnd(t, "client", client, "bye")
	})
}

// unixPair returns the two ends of a unix connection.
func unixPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("unix", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// TestJoinGoneClient: a client that vanishes while nothing is said, even long
// after the end of its input, releases the engine.
func TestJoinGoneClient(t *testing.T) {
	for _, halfCloses := range []bool{false, true} {
		client, clientEnd := unixPair(t)
		engine, engineEnd := unixPair(t)
		ended := make(chan error, 1)
		go func() { join(clientEnd, engineEnd, nil, nil); ended <- nil }()
		if halfCloses {
			closeWrite(client)
			expectEnd(t, "engine", engine, "")
			select {
			case <-ended:
				t.Fatal("the joint ended with the client's input")
			case <-time.After(50 * time.Millisecond):
			}
		}
		client.Close()
		wait(t, ended)
	}
}

// TestJoinDeafEngine: an engine that takes no more input still has its output
// delivered to the end, to a client that does not stop talking.
func TestJoinDeafEngine(t *testing.T) {
	client, clientEnd := unixPair(t)
	engine, engineEnd := unixPair(t)
	ended := make(chan error, 1)
	go func() { join(clientEnd, engineEnd, nil, nil); ended <- nil }()
	engine.(*net.UnixConn).CloseRead()
	input := strings.Repeat("x", 16*bufferSize)
	if _, err := io.WriteString(client, input); err != nil {
		t.Error(err)
	}
	go func() { io.WriteString(engine, input); engine.Close() }()
	expectEnd(t, "client", client, input)
	client.Close()
	wait(t, ended)
}

// TestJoinBulk: much in both directions at once arrives whole.
func TestJoinBulk(t *testing.T) {
	client, clientEnd := unixPair(t)
	engine, engineEnd := unixPair(t)
	data := bytes.Repeat([]byte("0123456789abcde"), 1<<20)
	want := sha256.Sum256(data)
	sum := func(c net.Conn) <-chan [32]byte {
		got := make(chan [32]byte, 1)
		go func() {
			h := sha256.New()
			io.Copy(h, c)
			got <- [32]byte(h.Sum(nil))
		}()
		return got
	}
	go join(clientEnd, engineEnd, nil, nil)
	atClient, atEngine := sum(client), sum(engine)
	go func() { client.Write(data); closeWrite(client) }()
	go func() { engine.Write(data); closeWrite(engine) }()
	if <-atClient != want {
		t.Error("the client got something else")
	}
	if <-atEngine != want {
		t.Error("the engine got something else")
	}
}

// TestJoinIdleMemory: a joint that has been busy and is silent holds no buffer.
func TestJoinIdleMemory(t *testing.T) {
	const joints, limit = 200, 16 << 10
	inUse := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := inUse()
	burst := strings.Repeat("x", bufferSize)
	for range joints {
		client, clientEnd := unixPair(t)
		engine, engineEnd := unixPair(t)
		go join(clientEnd, engineEnd, nil, nil)
		go io.WriteString(client, burst)
		expect(t, "engine", engine, burst)
		go io.WriteString(engine, burst)
		expect(t, "client", client, burst)
	}
	if per := (int64(inUse()) - int64(before)) / joints; per > limit {
		t.Errorf("an idle joint with its four ends takes %d bytes, want at most %d", per, limit)
	}
}
