package proxy

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// explainDenied says of EACCES on an engine socket whose the socket is and how
// to be let in.
func explainDenied(path string, err error) error {
	advice := "run sockguard as its owner"
	if info, serr := os.Stat(path); serr == nil {
		advice = howToJoin(info)
	}
	return fmt.Errorf("uid %d may not use engine socket %s; %s: %w", os.Geteuid(), describeFile(path), advice, err)
}

func howToJoin(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	const groupWrite = 0o020 // connecting takes write permission
	if !ok || info.Mode()&groupWrite == 0 || st.Gid == 0 {
		return "run sockguard as its owner or give the engine's socket a group of its own"
	}
	return fmt.Sprintf("add the user to group %s (in a container: --group-add %d)", groupName(st.Gid), st.Gid)
}

// describeFile returns the path with owner and mode: "/run (root:root 0755)".
func describeFile(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return path
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return path
	}
	return fmt.Sprintf("%s (%s:%s %04o)", path, userName(st.Uid), groupName(st.Gid), info.Mode().Perm())
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
