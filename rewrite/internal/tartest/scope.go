package tartest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ReadInScope reads the file that name leads to below root.
func ReadInScope(root, name string) ([]byte, error) {
	full, err := InScope(root, name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(full)
}

// InScope resolves name below root as moby's FollowSymlinkInScope does.
func InScope(root, name string) (string, error) {
	done, rest := "/", filepath.Clean("/"+name)
	for n := 0; rest != ""; n++ {
		if n > 255 {
			return "", errors.New("too many links")
		}
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		next := filepath.Join(done, elem)
		link, err := os.Readlink(filepath.Join(root, next))
		switch {
		case errors.Is(err, fs.ErrNotExist) || err != nil && isInvalid(err):
			done = next
		case err != nil:
			return "", err
		default:
			if filepath.IsAbs(link) {
				done = "/"
			}
			rest = link + "/" + rest
		}
	}
	return filepath.Join(root, done), nil
}

func isInvalid(err error) bool { return strings.Contains(err.Error(), "invalid argument") }
