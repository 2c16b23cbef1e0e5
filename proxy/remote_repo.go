package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"sockguard/policy/verdict"
)

const (
	// maxTags is how many tags of tags lead to a commit.
	maxTags = 8

	// maxLinks is how many path elements are walked to a subdirectory.
	maxLinks = 255

	// maxLink bounds the target of a symbolic link: PATH_MAX.
	maxLink = 4096
)

// A gitRepo is one commit of a repository.
type gitRepo struct {
	remote  *verdict.Remote
	pack    *gitPack
	tree    plumbing.Hash // of its root
	time    time.Time     // when it was committed
	modules map[string]gitModule
}

// A treeEntry is a name in a directory.
type treeEntry struct {
	mode uint32
	hash plumbing.Hash
}

// Types of a treeEntry, the bits gitType of its mode.
const (
	gitType = 0o170000
	gitDir  = 0o040000
	gitFile = 0o100000
	gitLink = 0o120000
	gitSub  = 0o160000
)

// clone fetches the commit that r names.
func (f *remotes) clone(ctx context.Context, r *verdict.Remote, b *budget) (*gitRepo, error) {
	s, err := f.connect(ctx, r)
	if err != nil {
		return nil, err
	}
	defer s.refs.Close()
	if err := s.readRefs(); err != nil {
		return nil, err
	}
	hash, err := s.wanted()
	if err != nil {
		return nil, err
	}
	in, err := s.pack(hash)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	repo := &gitRepo{remote: r, pack: &gitPack{budget: b}}
	if err := repo.pack.receive(in); err != nil {
		return nil, remoteError(r, err, "cannot be fetched: %s", plainReason(err))
	}
	if err := repo.pack.index(ctx); err != nil {
		return nil, remoteError(r, err, "cannot be read: %s", plainReason(err))
	}
	if err := repo.commit(plumbing.NewHash(hash)); err != nil {
		return nil, remoteError(r, err, "cannot be read: %s", plainReason(err))
	}
	return repo, nil
}

// release gives back what the repository holds.
func (r *gitRepo) release() {
	r.pack.budget.pack += r.pack.size
	r.pack = nil
}

// object returns an object in memory.
func (r *gitRepo) object(hash plumbing.Hash, kind plumbing.ObjectType) ([]byte, error) {
	i, ok := r.pack.byHash[hash]
	if !ok || r.pack.objects[i].kind != kind {
		return nil, errDamaged
	}
	return r.pack.whole(i)
}

// commit reads the commit hash, or the one that a tag of that hash is for.
func (r *gitRepo) commit(hash plumbing.Hash) error {
	for range maxTags {
		text, err := r.object(hash, plumbing.TagObject)
		if err != nil {
			break
		}
		head, _ := gitHead(text, "object")
		hash = plumbing.NewHash(head)
	}
	text, err := r.object(hash, plumbing.CommitObject)
	if err != nil {
		return gitError("the ref is not one of a commit")
	}
	tree, _ := gitHead(text, "tree")
	r.tree = plumbing.NewHash(tree)
	// "Name <address> 1700000000 +0100"
	committer, _ := gitHead(text, "committer")
	fields := strings.Fields(committer[strings.LastIndexByte(committer, '>')+1:])
	var seconds uint64
	if len(fields) > 0 {
		seconds, _ = strconv.ParseUint(fields[0], 10, 33)
	}
	r.time = time.Unix(int64(seconds), 0)
	return nil
}

// gitHead returns the value of a line in the head of a commit or tag.
func gitHead(text []byte, key string) (string, bool) {
	head, _, _ := bytes.Cut(text, []byte("\n\n"))
	for line := range bytes.Lines(head) {
		if value, ok := bytes.CutPrefix(line, []byte(key+" ")); ok {
			return strings.TrimSpace(string(value)), true
		}
	}
	return "", false
}

// nextEntry takes one entry off the text of a tree.
func nextEntry(text []byte) (e treeEntry, name string, rest []byte, err error) {
	mode, rest, ok := bytes.Cut(text, []byte(" "))
	raw, rest, ok2 := bytes.Cut(rest, []byte{0})
	m, err := strconv.ParseUint(string(mode), 8, 32)
	if !ok || !ok2 || err != nil || len(rest) < len(e.hash) {
		return e, "", nil, errDamaged
	}
	name = string(raw)
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") || strings.EqualFold(name, ".git") {
		return e, "", nil, gitError(fmt.Sprintf("it holds a file of the name %.100q, which git does not allow", name))
	}
	e.mode = uint32(m)
	return e, name, rest[copy(e.hash[:], rest):], nil
}

// entry looks a name up in the directory tree.
func (r *gitRepo) entry(tree plumbing.Hash, name string) (treeEntry, bool, error) {
	text, err := r.object(tree, plumbing.TreeObject)
	for len(text) > 0 && err == nil {
		var e treeEntry
		var n string
		if e, n, text, err = nextEntry(text); err == nil && n == name {
			return e, true, nil
		}
	}
	return treeEntry{}, false, err
}

// follow walks to a path through all links, which lead nowhere outside. It
// returns what is there, and its path without links.
func (r *gitRepo) follow(name string) (treeEntry, string, error) {
	at, names := []treeEntry{{gitDir, r.tree}}, []string{}
	rest := path.Clean("/" + name)
	for steps := 0; rest != ""; steps++ {
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		top := at[len(at)-1]
		switch {
		case elem == "" || elem == ".":
			continue
		case elem == "..":
			if len(names) > 0 {
				at, names = at[:len(at)-1], names[:len(names)-1]
			}
			continue
		case steps > maxLinks || top.mode&gitType != gitDir:
			return top, "", gitError(fmt.Sprintf("it has no directory %.100q", name))
		}
		e, ok, err := r.entry(top.hash, elem)
		if err != nil {
			return e, "", err
		}
		if !ok {
			return e, "", gitError(fmt.Sprintf("it has no directory %.100q", name))
		}
		if e.mode&gitType != gitLink {
			at, names = append(at, e), append(names, elem)
			continue
		}
		target, err := r.link(e)
		if err != nil {
			return e, "", err
		}
		if strings.HasPrefix(target, "/") {
			at, names = at[:1], names[:0]
		}
		rest = target + "/" + rest
	}
	return at[len(at)-1], strings.Join(names, "/"), nil
}

// link returns where a symbolic link points.
func (r *gitRepo) link(e treeEntry) (string, error) {
	text, err := r.object(e.hash, plumbing.BlobObject)
	if err == nil && (len(text) > maxLink || bytes.IndexByte(text, 0) >= 0) {
		err = gitError("it holds a symbolic link whose target no file system takes")
	}
	return string(text), err
}

// content returns the size of a file, and how to write it. What is no
// difference is never in memory as a whole.
func (r *gitRepo) content(e treeEntry) (int64, func(io.Writer) error, error) {
	i, ok := r.pack.byHash[e.hash]
	if !ok || r.pack.objects[i].kind != plumbing.BlobObject {
		return 0, nil, errDamaged
	}
	if o := r.pack.objects[i]; o.base < 0 {
		return o.size, func(w io.Writer) error { return r.pack.inflate(w, o) }, nil
	}
	text, err := r.pack.whole(i)
	return int64(len(text)), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}, err
}
