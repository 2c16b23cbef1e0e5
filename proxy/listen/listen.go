package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// MaxPath is sizeof(sockaddr_un.sun_path) less the final NUL.
	MaxPath = 107

	// probeTimeout bounds the test whether a process serves an existing socket. A
	// live socket accepts at once.
	probeTimeout = time.Second

	// privateMode is the mode of a new socket file.
	privateMode fs.FileMode = 0o600
)

// Options say who may connect to a unix socket. They mean nothing for TCP.
type Options struct {
	Mode     fs.FileMode // permission bits of the socket file; 0 means 0600
	UID, GID int         // owner and group of the socket file; -1 leaves them
}

// Listen opens the guarded address: "unix:///abs", "unix://./rel" or a bare
// path for a unix socket, "tcp://host:port" for TCP. Anybody who reaches a TCP
// address may connect, so host and port are both required.
//
// A unix socket is created as 0600, then given to its owner, then set to its mode, so
// its permissions are never wider than the options say. A stale socket file is
// replaced; a live one and a file that is not a socket are errors. Close removes the
// socket file unless another process has replaced it.
func Listen(addr string, o Options) (net.Listener, error) {
	scheme, rest, ok := strings.Cut(addr, "://")
	switch {
	case !ok:
		return listenUnix(addr, o)
	case scheme == "unix":
		return listenUnix(rest, o)
	case scheme == "tcp":
		return listenTCP(rest)
	}
	return nil, fmt.Errorf("listen on %s: unknown scheme %q; use unix:///path or tcp://host:port", addr, scheme)
}

func listenTCP(hostport string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("listen on tcp://%s: name host and port, as in tcp://127.0.0.1:2375", hostport)
	}
	return net.Listen("tcp", hostport)
}

func listenUnix(path string, o Options) (net.Listener, error) {
	if err := checkSocketPath(path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	ln, err := bind(path)
	if errors.Is(err, unix.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, fmt.Errorf("listen on %s: %w", path, err)
		}
		ln, err = bind(path)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, explainBind(path, err))
	}
	s, err := own(ln, path, o)
	if err != nil {
		ln.SetUnlinkOnClose(true)
		ln.Close()
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return s, nil
}

func checkSocketPath(path string) error {
	switch {
	case path == "":
		return errors.New("the socket path is empty")
	case path[0] == '@':
		return errors.New("an abstract socket has no permissions; use a path (./@name for a file of that name)")
	case len(path) > MaxPath:
		return fmt.Errorf("the path has %d bytes, a unix socket allows %d; use a shorter or a relative one", len(path), MaxPath)
	}
	return nil
}

// bind creates the socket file as 0600 whatever the umask is. Linux takes the mode of
// a new socket file from the socket's own inode. Setting the umask would affect every
// other file that the process creates meanwhile.
func bind(path string) (*net.UnixListener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), uint32(privateMode)) }); cerr != nil {
			return cerr
		}
		return err
	}}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	ln := l.(*net.UnixListener)
	ln.SetUnlinkOnClose(false)
	return ln, nil
}

// removeStale removes path if it is a socket that no process serves.
func removeStale(path string) error {
	before, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if before.Mode().Type() != fs.ModeSocket {
		return errors.New("the file exists and is not a socket; it is left alone, choose another path")
	}
	c, err := net.DialTimeout("unix", path, probeTimeout)
	if err == nil {
		c.Close()
		return errors.New("another process is serving this socket; stop it or choose another path")
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("a socket is there and it is not certain that nobody serves it: %w", err)
	}
	if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
		return errors.New("another process is replacing this socket; choose another path")
	}
	return os.Remove(path)
}

// own gives the new socket file to its owner and then sets its mode. It works on the
// file that it has verified, through a descriptor. By then the path may be a link that
// another process has planted, to a file of the host.
func own(ln *net.UnixListener, path string, o Options) (*unixListener, error) {
	f, err := os.OpenFile(path, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode() != fs.ModeSocket|info.Mode().Perm()&privateMode {
		return nil, fmt.Errorf("the new socket file is %v, not private; another process may be replacing it", info.Mode())
	}
	if o.UID != -1 || o.GID != -1 {
		if err := unix.Fchownat(int(f.Fd()), "", o.UID, o.GID, unix.AT_EMPTY_PATH); err != nil {
			return nil, fmt.Errorf("give the socket to %d:%d: %w", o.UID, o.GID, err)
		}
	}
	mode := o.Mode.Perm()
	if mode == 0 {
		mode = privateMode
	}
	if mode != privateMode {
		if err := os.Chmod(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), mode); err != nil {
			return nil, fmt.Errorf("set the socket's mode: %w", err)
		}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return &unixListener{UnixListener: ln, path: abs, file: info}, nil
}

// explainBind adds what a person can do about an error of bind(2).
func explainBind(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("directory %s does not exist; create it first: %w", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("uid %d may not create a file in %s: %w", os.Geteuid(), DescribeFile(dir), err)
	}
	return err
}

// A unixListener removes its socket file when it is closed.
type unixListener struct {
	*net.UnixListener
	path string
	file fs.FileInfo
	once sync.Once
}

var _ net.Listener = (*unixListener)(nil)

// Close removes the socket file, then stops listening. In this order a successor
// never finds a file that refuses connections.
func (l *unixListener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.file) {
			os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}
