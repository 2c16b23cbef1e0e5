package policy

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// engineSockets are where an engine listens unless it is told otherwise.
var engineSockets = []string{"/var/run/docker.sock", "/run/docker.sock"}

// maxLinks is how many symlinks are followed in one path, as in Linux.
const maxLinks = 40

// hostPath decides a mount of a host path and returns the path to mount.
//
// A path is judged where it leads: symlinks in it and in the grants are
// followed as far as sockguard sees them (what it does not see counts as
// written). The engine follows them again, as root, at every start: a symlink
// put there in between is caught by POST /start, but not when the engine itself
// restarts the container.
func (c *call) hostPath(field, source string, write bool) (string, error) {
	source = path.Clean(source)
	real, err := c.resolve(source)
	if err != nil {
		return "", deny("bind", "%s: bind mount of %s: what it leads to cannot be seen: %v; mount another path", field, source, err)
	}
	if c.GuardSocket != "" && source == c.GuardSocket {
		return source, nil
	}
	for _, socket := range append(c.EngineSockets, engineSockets...) {
		at, err := c.resolve(socket)
		if err != nil {
			at = socket
		}
		switch {
		case source == socket || real == at:
			return c.guardSocket(field, source)
		case below(socket, source) || below(at, real):
			return "", deny("bind", "%s: bind mount of %s: it holds the engine's socket; mount a directory beside it", field, source)
		}
	}
	return source, c.granted(field, source, real, write)
}

// guardSocket answers for a mount of the engine's socket: who mounts it gets
// the guarded one.
func (c *call) guardSocket(field, source string) (string, error) {
	if c.GuardSocket == "" {
		return "", deny("bind", "%s: bind mount of %s: it is the engine's own socket; ask the operator for --guard-socket, which puts this guarded socket there", field, source)
	}
	return c.GuardSocket, nil
}

func (c *call) granted(field, source, real string, write bool) error {
	readOnly := false
	for _, g := range c.Binds {
		at, err := c.resolve(path.Clean(g.Path))
		if err != nil || !below(real, at) {
			continue
		}
		if !g.ReadOnly || !write {
			return nil
		}
		readOnly = true
	}
	where := source
	if real != source {
		where += ", which leads to " + real
	}
	if readOnly {
		return deny("bind", "%s: bind mount of %s: it is open for reading only; mount it read-only (%s:/path:ro)", field, where, source)
	}
	return deny("bind", "%s: bind mount of %s: it is outside the allowed paths; ask the operator for --allow-bind %s", field, where, source)
}

// below reports whether a clean path is dir or lies below it.
func below(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// resolve follows the symlinks of a clean, absolute path. What does not exist
// here is taken as written: the engine may see it, or will make it.
func (c *call) resolve(p string) (string, error) {
	if c.Readlink == nil {
		return p, nil
	}
	real, rest := "/", strings.Split(p[1:], "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(real, rest[0])
		rest = rest[1:]
		target, err := c.Readlink(next)
		switch {
		case errors.Is(err, syscall.EINVAL): // no symlink
			real = next
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
			return path.Join(next, path.Join(rest...)), nil
		case err != nil:
			return "", err
		case links == maxLinks:
			return "", syscall.ELOOP
		default:
			links++
			if path.IsAbs(target) {
				real = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
		}
	}
	return real, nil
}

// recheckBinds judges the host paths of a container again before it starts:
// what they lead to may have been exchanged since it was created.
func (c *call) recheckBinds(o Object) error {
	for _, b := range o.Binds {
		if _, err := c.hostPath("container "+o.Name, b.Source, !b.ReadOnly); err != nil {
			return err
		}
	}
	return nil
}
