package container

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"sockguard/policy/verdict"
)

// engineSockets are where an engine listens by default.
var engineSockets = []string{"/var/run/docker.sock", "/run/docker.sock"}

// maxLinks is how many symlinks are followed in one path, as in Linux.
const maxLinks = 40

// hostPath decides a mount of a host path and returns the path to mount: the
// guarded socket in place of the engine's. Member is the member of the body, for
// the refusal.
//
// A path is judged by where it leads: symlinks in it and in the grants are
// followed as far as sockguard sees them. A part that it does not see counts as
// written. The engine follows symlinks again, as root, at every start. POST /start
// catches a symlink that was changed since the create; a restart by the engine
// itself does not.
func hostPath(c *verdict.Case, member, source string, write bool) (string, error) {
	source = path.Clean(source)
	real, err := followLinks(c.Readlink, source)
	if err != nil {
		return "", verdict.Deny("bind", "%s: bind mount of %s: what it leads to cannot be seen: %v; mount another path", member, source, err)
	}
	if c.GuardSocket != "" && source == c.GuardSocket {
		return source, nil
	}
	for _, socket := range slices.Concat(c.EngineSockets, engineSockets) {
		at, err := followLinks(c.Readlink, socket)
		if err != nil {
			at = socket
		}
		switch {
		case (source == socket || real == at) && c.GuardSocket != "":
			return c.GuardSocket, nil
		case source == socket || real == at:
			return "", verdict.Deny("bind", "%s: bind mount of %s: it is the engine's own socket; ask the operator for --guard-socket, which puts this guarded socket there", member, source)
		case below(socket, source) || below(at, real):
			return "", verdict.Deny("bind", "%s: bind mount of %s: it holds the engine's socket; mount a directory beside it", member, source)
		}
	}
	return source, granted(c, member, source, real, write)
}

// granted refuses a path that leads outside the paths that the operator opened.
func granted(c *verdict.Case, member, source, real string, write bool) error {
	readOnly := false
	for _, g := range c.Binds {
		at, err := followLinks(c.Readlink, path.Clean(g.Path))
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
		return verdict.Deny("bind", "%s: bind mount of %s: it is open for reading only; mount it read-only (%s:/path:ro)", member, where, source)
	}
	return verdict.Deny("bind", "%s: bind mount of %s: it is outside the allowed paths; ask the operator for --allow-bind %s", member, where, source)
}

// below reports whether a clean path is dir or lies below it.
func below(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// followLinks follows the symlinks of a clean, absolute path. A path that does not
// exist here counts as written: the engine may see it, or will make it.
func followLinks(readlink func(string) (string, error), p string) (string, error) {
	if readlink == nil {
		return p, nil
	}
	real, rest := "/", strings.Split(p[1:], "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(real, rest[0])
		rest = rest[1:]
		target, err := readlink(next)
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

// recheckBinds decides the host paths of a container again before it starts. They
// may lead elsewhere than at its create.
func recheckBinds(c *verdict.Case, o verdict.Object) error {
	for _, b := range o.Binds {
		if _, err := hostPath(c, "container "+o.Name, b.Source, !b.ReadOnly); err != nil {
			return err
		}
	}
	return nil
}
