package proxy

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
)

// The archive holds what git clone --recursive checks out.
func TestRemoteGitIsACheckout(t *testing.T) {
	fg := newForge(t)
	fg.tree(t)
	want := filepath.Join(t.TempDir(), "clone")
	git(t, fg.dir, "-c", "protocol.file.allow=always", "clone", "-q", "--recursive", fg.url+"/x.git", want)
	for _, from := range []string{fg.url, fg.git} {
		f := fetching(t, "127.0.0.1")
		got, err := checkout(t, f, gitRemote(t, from+"/x.git", "master", ""))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(onDisk(t, want), got); diff != "" {
			t.Errorf("%s: %s", from, diff)
		}
		if _, err := rebuilt(t, f, gitRemote(t, from+"/x.git", "master", "")); err != nil {
			t.Error(err)
		}
	}
}

func TestRemoteGitRefs(t *testing.T) {
	fg := newForge(t)
	first := fg.commit(t, "x.git", map[string]string{"f": "1"})
	dir := filepath.Join(fg.dir, "x.git")
	git(t, dir, "tag", "-a", "-m", "x", "annotated")
	git(t, dir, "tag", "-a", "-m", "x", "twice", "annotated")
	git(t, dir, "tag", "both")
	git(t, dir, "tag", "file", "HEAD:f")
	second := fg.commit(t, "x.git", map[string]string{"f": "2"})
	git(t, dir, "branch", "both")
	git(t, dir, "branch", "feature/one")
	git(t, dir, "update-ref", "refs/pull/7/head", first)
	fg.commit(t, "x.git", map[string]string{"f": "3"})
	git(t, fg.dir, "clone", "-q", "--bare", dir, filepath.Join(fg.dir, "other.git"))
	git(t, filepath.Join(fg.dir, "other.git"), "branch", "-m", "master", "trunk")
	git(t, fg.dir, "init", "-q", "--bare", "empty.git")
	for _, tt := range []struct{ name, ref, f, err string }{
		{"x.git", "master", "3", ""},
		{"x.git", "HEAD", "3", ""},
		{"x.git", "refs/heads/both", "2", ""},
		{"x.git", "both", "1", ""}, // the tag comes first
		{"x.git", "annotated", "1", ""},
		{"x.git", "twice", "1", ""},
		{"x.git", "pull/7/head", "1", ""},
		{"x.git", "feature/one", "2", ""},
		{"x.git", first, "1", ""},
		{"other.git", second, "2", ""}, // a tip, though the server gives out no others
		{"other.git", strings.Repeat("1", 40), "", "gives out branches and tags only"},
		{"x.git", strings.Repeat("1", 40), "", "git server says"},
		{"x.git", first[:10], "", "has no ref"},
		{"x.git", "file", "", "not one of a commit"},
		{"x.git", "*", "", "has no ref"},
		{"other.git", "master", "", "its default branch is trunk, write #trunk"},
		{"empty.git", "master", "", "has no ref"},
		{"nosuch.git", "master", "", "404 Not Found"},
	} {
		got, err := checkout(t, fetching(t, "127.0.0.1"), gitRemote(t, fg.url+"/"+tt.name, tt.ref, ""))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s#%s: got %v, want it to say %q", tt.name, tt.ref, err, tt.err)
			}
		} else if err != nil || got["f"] != "0 644 1700000000 "+tt.f {
			t.Errorf("%s#%s: got %v, %v, want %s", tt.name, tt.ref, got, err, tt.f)
		}
	}
	if _, err := checkout(t, fetching(t, "127.0.0.1"), gitRemote(t, fg.git+"/nosuch.git", "master", "")); err == nil || !strings.Contains(err.Error(), "git server says") {
		t.Errorf("git://: got %v", err)
	}
}

func TestRemoteGitSubdir(t *testing.T) {
	fg := newForge(t)
	fg.tree(t)
	for _, tt := range []struct{ subdir, file, err string }{
		{"sub", "f", ""},
		{"/sub/", "f", ""},
		{"sub/../sub/.", "f", ""},
		{"../../sub", "f", ""},
		{"way", "f", ""},
		{"third/lib", "vendor/inner/deep", ""},
		{"third", "lib/vendor/inner/deep", ""},
		{"out", "", "no directory"},
		{"nosuch", "", "no directory"},
		{"sub/f", "", "not a directory"},
		{"sub/f/x", "", "no directory"},
		{"third/lib/vendor", "", "no directory"},
		{"bin/link", "", "not a directory"},
	} {
		got, err := checkout(t, fetching(t, "127.0.0.1"), gitRemote(t, fg.url+"/x.git", "master", tt.subdir))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want it to say %q", tt.subdir, err, tt.err)
			}
		} else if _, ok := got[tt.file]; err != nil || !ok {
			t.Errorf("%s: got %v, %v", tt.subdir, got, err)
		}
	}
}

func TestRemoteGitSubmodules(t *testing.T) {
	fg := newForge(t)
	fg.commit(t, "lib.git", map[string]string{"f": "1"})
	for name, at := range map[string]string{
		"host": "https://elsewhere.test/lib.git", "ssh": "git@github.com:a/b.git", "file": fg.dir + "/lib.git", "private": "http://127.0.0.2:1/x.git",
		"gone": "../missing.git", "fine": "../lib.git",
	} {
		fg.commit(t, name+".git", map[string]string{"m:sub": "lib.git " + at})
	}
	fg.commit(t, "none.git", map[string]string{"m:sub": "lib.git git@h:x"})
	git(t, filepath.Join(fg.dir, "none.git"), "config", "-f", ".gitmodules", "submodule.sub.update", "none")
	fg.commit(t, "none.git", nil)
	fg.commit(t, "unknown.git", map[string]string{"m:sub": "lib.git x"})
	fg.commit(t, "unknown.git", map[string]string{".gitmodules": ""})
	fg.commit(t, "garbled.git", map[string]string{"m:sub": "lib.git x"})
	fg.commit(t, "garbled.git", map[string]string{".gitmodules": "[submodule"})
	for name, want := range map[string]string{
		"host": "elsewhere.test is not granted", "ssh": "over ssh", "file": "cannot be read", "private": "127.0.0.2, which is not granted",
		"gone": "404", "fine": "", "none": "", "unknown": "has no URL", "garbled": ".gitmodules cannot be read",
	} {
		want = strings.Replace(want, "elsewhere.test is", "elsewhere.test, which is", 1)
		_, err := rebuilt(t, fetching(t, "127.0.0.1"), gitRemote(t, fg.url+"/"+name+".git", "master", ""))
		if want == "" {
			want = "Dockerfile" // there is none: all else went well
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it to say %q", name, err, want)
		}
	}
}

// A ceiling of packs is one for the repository and its submodules together, and
// what ended gives back its turn.
func TestRemoteGitOversize(t *testing.T) {
	fg := newForge(t)
	fg.commit(t, "lib.git", map[string]string{"f": string(noise(40 << 10))})
	fg.commit(t, "x.git", map[string]string{"g": string(noise(80 << 10)), "m:sub": "lib.git ../lib.git"})
	f := fetching(t, "127.0.0.1")
	for _, tt := range []struct {
		limit int64
		ok    bool
	}{{70 << 10, false}, {100 << 10, false}, {150 << 10, true}, {100 << 10, false}, {150 << 10, true}} {
		f.maxPack = tt.limit
		_, err := checkout(t, f, gitRemote(t, fg.url+"/x.git", "master", ""))
		if tt.ok && err != nil || !tt.ok && (err == nil || !strings.Contains(err.Error(), "more than sockguard takes")) {
			t.Errorf("%d: got %v", tt.limit, err)
		}
	}
}

// A file of a repository is not held in memory beside the pack, nor is its
// archive.
func TestRemoteGitMemory(t *testing.T) {
	const size, slack = 8 << 20, 4 << 20
	fg := newForge(t)
	fg.commit(t, "x.git", map[string]string{"f": string(noise(size)), "g": strings.Repeat("0", 8*size)})
	before := liveHeap()
	body, err := fetching(t, "127.0.0.1").repository(t.Context(), &verdict.Decision{Remote: gitRemote(t, fg.url+"/x.git", "master", "")})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	for range 8 {
		if _, err := io.CopyN(io.Discard, body, size); err != nil {
			t.Fatal(err)
		}
		if held := liveHeap() - before; held > size+slack {
			t.Errorf("%d bytes are held for a pack of %d", held, size)
		}
	}
}

// A client that leaves ends the fetch and gives back the turn.
func TestRemoteGitCanceled(t *testing.T) {
	asked, gone := make(chan bool), make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(gone)
	}))
	defer s.Close()
	f := fetching(t, "127.0.0.1")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := f.repository(ctx, &verdict.Decision{Remote: gitRemote(t, s.URL+"/x.git", "master", "")})
	if !errors.Is(err, context.Canceled) || len(f.turns) != 0 {
		t.Errorf("got %v, and %d turns are taken", err, len(f.turns))
	}
	<-gone
}

// An archive that nobody reads to its end stops, wherever it is.
func TestRemoteGitClosed(t *testing.T) {
	fg := newForge(t)
	fg.commit(t, "x.git", map[string]string{"f": "1", "g": strings.Repeat("0", 1<<20)})
	f := fetching(t, "127.0.0.1")
	body, err := f.repository(t.Context(), &verdict.Decision{Remote: gitRemote(t, fg.url+"/x.git", "master", "")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := body.Read(make([]byte, 512)); err != nil || len(f.turns) != 1 {
		t.Errorf("got %v, and %d turns are taken", err, len(f.turns))
	}
	body.Close()
	for start := time.Now(); len(f.turns) > 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the turn is not given back")
		}
	}
}

// A redirect of the list of refs moves the whole conversation, and is judged.
func TestRemoteGitRedirects(t *testing.T) {
	fg := newForge(t)
	fg.commit(t, "x.git", map[string]string{"f": "1"})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := fg.url
		if strings.HasPrefix(r.URL.Path, "/away") {
			to = "http://127.0.0.2:1"
		}
		http.Redirect(w, r, to+"/x.git/info/refs?"+r.URL.RawQuery, http.StatusMovedPermanently)
	}))
	defer s.Close()
	if got, err := checkout(t, fetching(t, "127.0.0.1"), gitRemote(t, s.URL+"/old.git", "master", "")); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := checkout(t, fetching(t, "127.0.0.1"), gitRemote(t, s.URL+"/away.git", "master", "")); err == nil || !strings.Contains(err.Error(), "host is not granted") {
		t.Errorf("got %v", err)
	}
}

// noise returns bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}
