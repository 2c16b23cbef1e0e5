package buildcontext

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/go-archive"
	"github.com/moby/go-archive/compression"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"sockguard/rewrite/internal/tartest"
)

// An engineBuild is the text that an engine builds from a context, and the files
// that COPY sees, by path.
type engineBuild struct {
	Text  string
	Files map[string]string
}

var errUnpack = errors.New("unpack")

// unpackAsEngine unpacks a context as the classic builder does (moby's
// builder/remotecontext), with moby's own unpacker.
func unpackAsEngine(t testing.TB, context []byte, dockerfile string) (engineBuild, error) {
	t.Helper()
	root, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	plain, err := compression.DecompressStream(bytes.NewReader(context))
	if err != nil {
		return engineBuild{}, err
	}
	defer plain.Close()
	recoded, err := recode(plain)
	if err != nil {
		return engineBuild{}, err
	}
	if err := archive.Untar(recoded, root, &archive.TarOptions{NoLchown: true}); err != nil {
		return engineBuild{}, fmt.Errorf("%w: %w", errUnpack, err)
	}
	if dockerfile == "" {
		dockerfile = "Dockerfile"
	}
	text, err := tartest.ReadInScope(root, dockerfile)
	if errors.Is(err, fs.ErrNotExist) && dockerfile == "Dockerfile" {
		dockerfile = "dockerfile"
		text, err = tartest.ReadInScope(root, dockerfile)
	}
	if err != nil {
		return engineBuild{}, err
	}
	if err := removeIgnored(root, dockerfile); err != nil {
		return engineBuild{}, err
	}
	return engineBuild{string(text), snapshot(t, root)}, nil
}

// recode encodes an archive again, as moby's tarsum does before unpacking.
func recode(r io.Reader) (io.Reader, error) {
	var out bytes.Buffer
	tr, tw := tar.NewReader(r), tar.NewWriter(&out)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return &out, tw.Close()
		}
		if err != nil {
			return nil, err
		}
		if err := tw.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := io.Copy(tw, tr); err != nil {
			return nil, err
		}
	}
}

func removeIgnored(root, dockerfile string) error {
	text, err := tartest.ReadInScope(root, ".dockerignore")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return err
	}
	for _, name := range []string{".dockerignore", dockerfile} {
		if ok, _ := patternmatcher.MatchesOrParentMatches(name, patterns); ok {
			full, err := tartest.InScope(root, name)
			if err != nil {
				return err
			}
			if err := os.RemoveAll(full); err != nil {
				return err
			}
		}
	}
	return nil
}

func snapshot(t testing.TB, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			text, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			what += fmt.Sprintf(" %d %q", info.ModTime().UnixNano(), text)
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(p)
			if err != nil {
				return err
			}
			what += " -> " + link
		}
		rel, err := filepath.Rel(root, p)
		files[rel] = what
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
