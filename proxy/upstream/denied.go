package upstream

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"sockguard/proxy/listen"
)

// explainDenied adds to an EACCES who owns the engine's socket and how to get access.
func explainDenied(path string, err error) error {
	advice := "run sockguard as its owner"
	if info, serr := os.Stat(path); serr == nil {
		advice = howToJoin(info)
	}
	return fmt.Errorf("uid %d may not use engine socket %s; %s: %w", os.Geteuid(), listen.DescribeFile(path), advice, err)
}

// howToJoin returns what gives access to a socket file.
func howToJoin(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	const groupWrite = 0o020 // connecting takes write permission
	if !ok || info.Mode()&groupWrite == 0 || st.Gid == 0 {
		return "run sockguard as its owner or give the engine's socket a group of its own"
	}
	return fmt.Sprintf("add the user to group %s (in a container: --group-add %d)", listen.GroupName(st.Gid), st.Gid)
}
