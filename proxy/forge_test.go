package proxy

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// git runs git in a directory of its own, without a user's configuration.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@b", "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000", "GIT_ALLOW_PROTOCOL=file:http")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// A forge serves the repositories below a directory.
type forge struct {
	dir, url string
	git      string // git://host:port
}

func newForge(t *testing.T) *forge {
	t.Helper()
	fg := &forge{dir: t.TempDir()}
	s := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(git(t, fg.dir, "--exec-path"), "git-http-backend"), Stderr: io.Discard,
		Env: []string{"GIT_PROJECT_ROOT=" + fg.dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + fg.dir},
	})
	t.Cleanup(s.Close)
	fg.url = s.URL
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			daemon := exec.CommandContext(t.Context(), "git", "daemon", "--inetd", "--export-all", "--base-path="+fg.dir)
			daemon.Env = append(os.Environ(), "HOME="+fg.dir)
			daemon.Stdin, daemon.Stdout = c, c
			go func() {
				defer c.Close()
				daemon.Run()
			}()
		}
	}()
	fg.git = "git://" + ln.Addr().String()
	return fg
}

// commit makes or extends a repository. Keys are paths; "x:" is executable, "l:"
// a link, "m:" the path of a submodule whose repository and URL the value names.
func (fg *forge) commit(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(fg.dir, name)
	if _, err := os.Stat(dir); err != nil {
		git(t, fg.dir, "init", "-q", "-b", "master", dir)
		git(t, dir, "config", "uploadpack.allowReachableSHA1InWant", "true")
	}
	for path, text := range files {
		kind, rest, ok := strings.Cut(path, ":")
		if !ok {
			kind, rest = "", path
		}
		full := filepath.Join(dir, rest)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch kind {
		case "x":
			err = os.WriteFile(full, []byte(text), 0o755)
		case "l":
			err = os.Symlink(text, full)
		case "m":
			from, at, _ := strings.Cut(text, " ")
			git(t, dir, "-c", "protocol.file.allow=always", "submodule", "add", "-q", filepath.Join(fg.dir, from), rest)
			git(t, dir, "config", "-f", ".gitmodules", "submodule."+rest+".url", at)
		default:
			err = os.WriteFile(full, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "x")
	return git(t, dir, "rev-parse", "HEAD")
}

func gitRemote(t *testing.T, text, ref, subdir string) *verdict.Remote {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &verdict.Remote{URL: u, Git: true, Ref: ref, Subdir: subdir}
}

// checkout returns what f fetches: a line for each entry.
func checkout(t *testing.T, f *remotes, r *verdict.Remote) (map[string]string, error) {
	t.Helper()
	body, err := f.repository(t.Context(), &verdict.Decision{Remote: r})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return listing(body)
}

func listing(r io.Reader) (map[string]string, error) {
	files := map[string]string{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		files[h.Name] = fmt.Sprintf("%c %o %d %s%s", h.Typeflag, h.Mode, h.ModTime.Unix(), h.Linkname, text)
	}
}

func tarEntries(t *testing.T, archive []byte) (list []*tar.Header) {
	t.Helper()
	for tr := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, h)
	}
}

// onDisk is the listing of a directory that git has written.
func onDisk(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		switch {
		case err != nil || path == dir:
			return err
		case d.Name() == ".git" && d.IsDir():
			return fs.SkipDir
		case d.Name() == ".git":
			return nil
		case d.IsDir():
			files[name+"/"] = "5 755 1700000000 "
			return nil
		case d.Type() == fs.ModeSymlink:
			to, err := os.Readlink(path)
			files[name] = "2 777 1700000000 " + to
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		files[name] = fmt.Sprintf("0 %o 1700000000 %s", info.Mode().Perm(), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// tree is a repository of many files, some of which differ little from others.
func (fg *forge) tree(t *testing.T) {
	t.Helper()
	fg.commit(t, "inner.git", map[string]string{"deep": "deep\n"})
	fg.commit(t, "lib.git", map[string]string{"lib.c": "int x;\n", "m:vendor/inner": "inner.git ../inner.git"})
	var text strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&text, "line %d of a text that is long enough to be worth a difference\n", i*i)
	}
	files := map[string]string{
		"Dockerfile": "FROM scratch\n", "x:bin/run": "#!/bin/sh\n", "l:bin/link": "../sub/Dockerfile", "l:way": "sub", "l:out": "../../../etc",
		"sub/Dockerfile": "FROM scratch\nCOPY f /\n", "sub/f": "f", "empty": "", "päth with ü": "x", "m:third/lib": "lib.git ../lib.git",
		strings.Repeat("d/", 60) + strings.Repeat("n", 120): "long name",
	}
	for i := range 20 {
		files[fmt.Sprintf("texts/%d", i)] = strings.Replace(text.String(), fmt.Sprintf("line %d of", i*i*100), "changed", 1)
	}
	fg.commit(t, "x.git", files)
	fg.commit(t, "x.git", map[string]string{"second": "2"})
	git(t, filepath.Join(fg.dir, "x.git"), "gc", "-q")
}
