package listen

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// DescribeFile returns the path with owner and mode: "/run (root:root 0755)".
func DescribeFile(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return path
	}
	return fmt.Sprintf("%s (%s:%s %04o)", path, userName(st.Uid), GroupName(st.Gid), info.Mode().Perm())
}

// userName returns the name of a user, its number if it has none.
func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// GroupName returns the name of a group, its number if it has none.
func GroupName(gid uint32) string {
	id := strconv.FormatUint(uint64(gid), 10)
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}
