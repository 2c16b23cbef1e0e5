package proxy

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// denied explains EACCES on an engine socket: whose it is and how to join.
func denied(path string, err error) error {
	info, serr := os.Stat(path)
	if serr != nil {
		return fmt.Errorf("uid %d may not reach engine socket %s: %w", os.Geteuid(), path, err)
	}
	group := "its group"
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		group = fmt.Sprintf("group %s (in a container: --group-add %d)", groupName(st.Gid), st.Gid)
	}
	return fmt.Errorf("uid %d may not use engine socket %s; add the user to %s: %w", os.Geteuid(), describe(path), group, err)
}

// describe returns the path with owner and mode: "/run (root:root, drwxr-xr-x)".
func describe(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Sprintf("%s (%v)", path, info.Mode())
	}
	return fmt.Sprintf("%s (%s:%s, %v)", path, userName(st.Uid), groupName(st.Gid), info.Mode())
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

func groupName(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}
