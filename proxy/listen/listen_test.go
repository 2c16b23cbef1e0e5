package listen

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var asIs = Options{UID: -1, GID: -1}

// TestBindIsPrivate: the socket file is born private, whatever the umask.
func TestBindIsPrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "s")
	l, err := bind(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != fs.ModeSocket|privateMode {
		t.Errorf("got %v, want %v", got, fs.ModeSocket|privateMode)
	}
}

func TestListenModes(t *testing.T) {
	tests := []struct {
		mode, want fs.FileMode
		uid, gid   int
	}{
		{0, 0o600, -1, -1},
		{0o600, 0o600, -1, -1},
		{0o660, 0o660, os.Getuid(), os.Getgid()},
		{0o666, 0o666, -1, -1},
		{0o200, 0o200, -1, -1},
	}
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for _, tt := range tests {
		path := filepath.Join(t.TempDir(), "s")
		l, err := Listen("unix://"+path, Options{Mode: tt.mode, UID: tt.uid, GID: tt.gid})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != tt.want {
			t.Errorf("mode %v: got %v, want %v", tt.mode, got, tt.want)
		}
		l.Close()
	}
	if got := syscall.Umask(0o077); got != 0o077 {
		t.Errorf("the umask is now %o", got)
	}
}

func TestListenOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path, Options{Mode: 0o660, UID: 4711, GID: 4712})
	if os.Getuid() != 0 {
		if err == nil {
			t.Fatal("gave a socket away without being root")
		}
		if _, err := os.Lstat(path); err == nil {
			t.Error("the socket that could not be given away is still there")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 4711 || st.Gid != 4712 {
		t.Errorf("got %d:%d, want 4711:4712", st.Uid, st.Gid)
	}
}

func TestListenRefusesAddresses(t *testing.T) {
	tests := []struct{ addr, want string }{
		{"", "empty"},
		{"unix://", "empty"},
		{"@name", "abstract"},
		{"unix://@name", "abstract"},
		{"unix:///" + strings.Repeat("x", 107), "108 bytes"},
		{"unix:///no/such/directory/s", "/no/such/directory does not exist"},
		{"tcp://", "host and port"},
		{"tcp://:2375", "host and port"},
		{"tcp://127.0.0.1", "host and port"},
		{"tcp://127.0.0.1:", "host and port"},
		{"fd://3", `unknown scheme "fd"`},
		{"npipe:////./pipe/docker", `unknown scheme "npipe"`},
	}
	for _, tt := range tests {
		l, err := Listen(tt.addr, asIs)
		if err == nil {
			l.Close()
			t.Errorf("%s: listens", tt.addr)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %q, want it to say %q", tt.addr, err, tt.want)
		}
	}
}

func TestListenForms(t *testing.T) {
	t.Chdir(t.TempDir())
	abs := filepath.Join(t.TempDir(), strings.Repeat("x", 20))
	for _, addr := range []string{"s", "./s", "unix://./s", "unix://" + abs, abs, "tcp://127.0.0.1:0", "tcp://localhost:0"} {
		l, err := Listen(addr, asIs)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Errorf("%s: %v", addr, err)
		} else {
			c.Close()
		}
		l.Close()
	}
}

// TestListenOnWhatIsThere: a socket that nobody serves is replaced, and nothing
// else is.
func TestListenOnWhatIsThere(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, path string)
		want string // "" when Listen succeeds
	}{
		{"stale socket", func(t *testing.T, path string) { abandon(t, path) }, ""},
		{"live socket", func(t *testing.T, path string) {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}, "another process is serving"},
		{"datagram socket", func(t *testing.T, path string) {
			c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
		}, "not certain"},
		{"file", func(t *testing.T, path string) { writeFile(t, path) }, "not a socket"},
		{"directory", func(t *testing.T, path string) { os.Mkdir(path, 0o700) }, "not a socket"},
		{"link to a stale socket", func(t *testing.T, path string) {
			abandon(t, path+".target")
			os.Symlink(path+".target", path)
		}, "not a socket"},
		{"dangling link", func(t *testing.T, path string) { os.Symlink(path+".target", path) }, "not a socket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			tt.make(t, path)
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			l, err := Listen(path, asIs)
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				if c, err := net.Dial("unix", path); err != nil {
					t.Error(err)
				} else {
					c.Close()
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
			if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("what was there is gone: %v", err)
			}
		})
	}
}

// TestListenClose: Close removes the socket file, unless it is a successor's.
func TestListenClose(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	l, err := Listen("unix://./s", asIs)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("/")
	l.Close()
	path := filepath.Join(dir, "s")
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket file is still there")
	}

	first, err := Listen(path, asIs)
	if err != nil {
		t.Fatal(err)
	}
	os.Rename(path, path+".old")
	second, err := Listen(path, asIs)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	first.Close()
	first.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Error("the predecessor removed its successor's socket")
	}
}

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

func writeFile(t *testing.T, path string) {
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
}
