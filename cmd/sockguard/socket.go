package main

import (
	"fmt"
	"io/fs"
	"os/user"
	"strconv"

	"sockguard/proxy/listen"
)

// listenOptions are the permissions of the socket file.
func (s *settings) listenOptions() (listen.Options, error) {
	o := listen.Options{UID: -1, GID: -1}
	mode, err := strconv.ParseUint(s.SocketMode, 8, 32)
	if err != nil || mode == 0 || mode > 0o777 {
		return o, fmt.Errorf("socket-mode %s: write octal permissions, as in 0660", s.SocketMode)
	}
	o.Mode = fs.FileMode(mode)
	o.UID, err = id(s.SocketUser, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	})
	if err != nil {
		return o, fmt.Errorf("socket-user %s: %w", s.SocketUser, err)
	}
	o.GID, err = id(s.SocketGroup, func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
	if err != nil {
		return o, fmt.Errorf("socket-group %s: %w", s.SocketGroup, err)
	}
	return o, nil
}

// id resolves a user or group by number or by name; "" and -1 leave it as it is.
func id(name string, lookup func(string) (string, error)) (int, error) {
	if name == "" || name == "-1" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	number, err := lookup(name)
	if err != nil {
		return -1, fmt.Errorf("%w; a number always works", err)
	}
	return strconv.Atoi(number)
}
