package upstream

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockguard/proxy/listen"
)

func TestNew(t *testing.T) {
	tests := []struct{ host, want, err string }{
		{host: "unix:///var/run/docker.sock", want: "unix:///var/run/docker.sock"},
		{host: "tcp://127.0.0.1:2375", want: "tcp://127.0.0.1:2375"},
		{host: "tcp://[::1]:2375", want: "tcp://[::1]:2375"},
		{host: "", err: "use unix:///path or tcp://host:port"},
		{host: "/var/run/docker.sock", err: "use unix:///path or tcp://host:port"},
		{host: "unix://docker.sock", err: "absolute path"},
		{host: "unix://@docker", err: "absolute path"},
		{host: "unix:///" + strings.Repeat("x", 107), err: "108 bytes"},
		{host: "tcp://engine", err: "host and port"},
		{host: "tcp://:2375", err: "host and port"},
		{host: "tcp://engine:2375/path", err: "no path"},
		{host: "http://engine:2375", err: "write tcp://host:port"},
		{host: "https://engine:2376", err: "DOCKER_TLS_VERIFY"},
		{host: "npipe:////./pipe/docker_engine", err: "not supported"},
		{host: "ssh://user@engine", err: "not supported"},
		{host: "fd://", err: "not supported"},
	}
	for _, tt := range tests {
		u, err := New(tt.host, TLSFiles{})
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want it to say %q", tt.host, err, tt.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.host, err)
		case u.String() != tt.want:
			t.Errorf("%s: got %q, want %q", tt.host, u, tt.want)
		}
	}
}

// asIs are the options of a socket file that keeps its owner.
var asIs = listen.Options{UID: -1, GID: -1}

// abandon leaves the socket file of a process that died. It never listened, so
// nobody who dials meanwhile gets through to it.
func abandon(t *testing.T, path string) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Close(fd))
	}
	if err != nil {
		t.Error(err)
	}
}

func newUnixUpstream(t *testing.T, path string) *Upstream {
	t.Helper()
	u, err := New("unix://"+path, TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestDialWaitsForRestart: an engine that restarts is missing, then refuses,
// then answers; the caller notices nothing.
func TestDialWaitsForRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	restarted := make(chan struct{})
	defer func() { <-restarted }()
	go func() {
		defer close(restarted)
		time.Sleep(100 * time.Millisecond)
		abandon(t, path)
		time.Sleep(100 * time.Millisecond)
		l, err := listen.Listen(path, asIs)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { l.Close() })
	}()
	c, err := newUnixUpstream(t, path).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestDialWaitsInQueue: many jobs at once are no error.
func TestDialWaitsInQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 1)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		var c net.Conn
		if c, err = net.Dial("unix", path); err == nil {
			defer c.Close()
		}
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	time.AfterFunc(2*dialPause, func() { unix.Accept4(fd, unix.SOCK_CLOEXEC) })
	c, err := newUnixUpstream(t, path).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestDialErrors(t *testing.T) {
	dir := t.TempDir()
	abandon(t, filepath.Join(dir, "stale"))
	tests := []struct {
		name string
		is   error
		want string
	}{
		{"missing", fs.ErrNotExist, "does not exist; is the engine running?"},
		{"stale", unix.ECONNREFUSED, "nobody answers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			path := filepath.Join(dir, tt.name)
			_, err := newUnixUpstream(t, path).Dial(t.Context())
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v, saying %q and %q", err, tt.is, tt.want, path)
			}
			if took := time.Since(start); took < dialPatience || took > 2*dialPatience {
				t.Errorf("gave up after %v, want about %v", took, dialPatience)
			}
		})
	}
}

// TestDialEndsWithItsContext: whoever left does not wait for a restart.
func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := newUnixUpstream(t, filepath.Join(t.TempDir(), "s")).Dial(ctx); err == nil {
		t.Error("no error")
	}
	if took := time.Since(start); took > dialPatience/2 {
		t.Errorf("took %v", took)
	}
}

// TestExplainDenied: the error says whose the socket is and how to be let in.
func TestExplainDenied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := listen.Listen(path, asIs)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}
	got := newUnixUpstream(t, path).explain(refused)
	whose := listen.DescribeFile(path)
	if !strings.Contains(got.Error(), whose) || !errors.Is(got, fs.ErrPermission) {
		t.Errorf("got %q, want it to say %q", got, whose)
	}

	tests := []struct {
		mode fs.FileMode
		gid  uint32
		want string
	}{
		{0o660, 4712, "add the user to group 4712 (in a container: --group-add 4712)"},
		{0o600, 4712, "run sockguard as its owner or give the engine's socket a group of its own"},
		{0o660, 0, "run sockguard as its owner or give the engine's socket a group of its own"},
	}
	for _, tt := range tests {
		if got := howToJoin(socketInfo{mode: tt.mode, stat: syscall.Stat_t{Gid: tt.gid}}); got != tt.want {
			t.Errorf("%v of %d: got %q, want %q", tt.mode, tt.gid, got, tt.want)
		}
	}
}

// A socketInfo is a socket file with the mode and group of a test.
type socketInfo struct {
	fs.FileInfo
	mode fs.FileMode
	stat syscall.Stat_t
}

func (s socketInfo) Mode() fs.FileMode { return fs.ModeSocket | s.mode }
func (s socketInfo) Sys() any          { return &s.stat }

// TestTransport: no compression is asked for, no proxy is looked for, and the
// request's address does not matter.
func TestTransport(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	path := filepath.Join(t.TempDir(), "s")
	l, err := listen.Listen(path, asIs)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *http.Request, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r })}
	go srv.Serve(l)
	defer srv.Close()
	c := NewTransport(newUnixUpstream(t, path).Dial)
	defer c.Close()
	resp, err := (&http.Client{Transport: c}).Get("http://anything.example/_ping")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r := <-got
	if r.ProtoMajor != 1 || r.Header.Get("Accept-Encoding") != "" {
		t.Errorf("got %s with Accept-Encoding %q", r.Proto, r.Header.Get("Accept-Encoding"))
	}
}
