package config

import (
	"fmt"
	"io/fs"
	"os/user"
	"strconv"

	"sockguard/proxy/listen"
)

// listenOptions are the permissions of the socket file.
func (s *Settings) listenOptions() (listen.Options, error) {
	mode, err := strconv.ParseUint(s.SocketMode, 8, 32)
	if err != nil || mode == 0 || mode > 0o777 {
		return listen.Options{}, fmt.Errorf("socket-mode %s: write octal permissions, as in 0660", s.SocketMode)
	}
	uid, err := number(s.SocketUser, userID)
	if err != nil {
		return listen.Options{}, fmt.Errorf("socket-user %s: %w", s.SocketUser, err)
	}
	gid, err := number(s.SocketGroup, groupID)
	if err != nil {
		return listen.Options{}, fmt.Errorf("socket-group %s: %w", s.SocketGroup, err)
	}
	return listen.Options{Mode: fs.FileMode(mode), UID: uid, GID: gid}, nil
}

// number resolves a user or group given by number or by name; "" and -1 are -1,
// which leaves the file's.
func number(text string, lookup func(name string) (string, error)) (int, error) {
	if text == "" || text == "-1" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return int(n), nil
	}
	id, err := lookup(text)
	if err != nil {
		return -1, fmt.Errorf("%w; a number always works", err)
	}
	return strconv.Atoi(id)
}

func userID(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func groupID(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}
