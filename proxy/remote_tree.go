package proxy

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/config"

	"sockguard/policy/verdict"
)

const (
	// maxEntries bounds the files of one build: few trees that hold each other
	// many times stand for any number.
	maxEntries = 1 << 20

	// maxNested is how deep submodules are in submodules, maxModules how many
	// there are.
	maxNested  = 8
	maxModules = 256

	// maxModulesFile bounds .gitmodules.
	maxModulesFile = 256 << 10
)

// A gitTar writes what a checkout would hold to an archive, .git left out.
type gitTar struct {
	*remotes
	ctx     context.Context
	budget  *budget
	tw      *tar.Writer
	entries int
	modules int
	nested  int
	held    int // bytes of the directories on the way to the one at hand
}

// repository fetches a context that is a commit of a repository. The pack is
// here before it returns; submodules come while the archive is read.
func (f *remotes) repository(ctx context.Context, d *verdict.Decision) (io.ReadCloser, error) {
	select {
	case f.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	done := func() { <-f.turns }
	ctx, cancel := context.WithCancel(ctx)
	t := &gitTar{remotes: f, ctx: ctx, budget: &budget{f.maxPack, maxInflated}}
	repo, err := f.clone(ctx, d.Remote, t.budget)
	if err != nil {
		cancel()
		done()
		return nil, err
	}
	root, at, err := repo.follow(d.Remote.Subdir)
	if kind := root.mode & gitType; err == nil && kind != gitDir && kind != gitSub {
		err = gitError(fmt.Sprintf("%.100q in it is not a directory", d.Remote.Subdir))
	}
	if err != nil {
		cancel()
		done()
		return nil, remoteError(d.Remote, err, "cannot be used: %s", plainReason(err))
	}
	if at != "" {
		at += "/"
	}
	r, w := io.Pipe()
	t.tw = tar.NewWriter(w)
	go func() {
		defer done()
		defer cancel()
		err := t.directory(repo, root, at, "")
		if err == nil {
			err = t.tw.Close()
		}
		w.CloseWithError(err)
	}()
	return &gitBody{r, cancel}, nil
}

// A gitBody is the archive of a repository. Close stops what is fetched for it.
type gitBody struct {
	*io.PipeReader
	cancel func()
}

// Close ends the archive, wherever it is.
func (b *gitBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// directory writes what is in a directory or in a submodule, which is at the
// path at of r, under the path to.
func (t *gitTar) directory(r *gitRepo, e treeEntry, at, to string) error {
	if e.mode&gitType == gitSub {
		return t.submodule(r, e, at, to)
	}
	text, err := r.object(e.hash, plumbing.TreeObject)
	if err != nil {
		return err
	}
	if t.held += len(text); t.held > maxWhole {
		return errWhole
	}
	defer func(n int) { t.held -= n }(len(text))
	for len(text) > 0 {
		var name string
		if e, name, text, err = nextEntry(text); err != nil {
			return err
		}
		if err := t.entry(r, e, at+name, to+name); err != nil {
			return err
		}
	}
	return nil
}

// entry writes one entry of a directory.
func (t *gitTar) entry(r *gitRepo, e treeEntry, at, to string) error {
	if t.entries++; t.entries > maxEntries {
		return errObjects
	}
	if err := t.ctx.Err(); err != nil {
		return err
	}
	h := &tar.Header{Name: to, ModTime: r.time, Mode: 0o644}
	switch e.mode & gitType {
	case gitDir, gitSub:
		h.Typeflag, h.Name, h.Mode = tar.TypeDir, to+"/", 0o755
		if err := t.tw.WriteHeader(h); err != nil {
			return err
		}
		return t.directory(r, e, at+"/", to+"/")
	case gitLink:
		target, err := r.link(e)
		if err != nil {
			return err
		}
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, target, 0o777
		return t.tw.WriteHeader(h)
	case gitFile:
		return t.file(r, e, h)
	}
	return errDamaged
}

func (t *gitTar) file(r *gitRepo, e treeEntry, h *tar.Header) error {
	size, write, err := r.content(e)
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, size
	if e.mode&0o100 != 0 {
		h.Mode = 0o755
	}
	if err := t.tw.WriteHeader(h); err != nil {
		return err
	}
	return write(t.tw)
}

// A gitModule is what .gitmodules says of a path.
type gitModule struct{ url, update string }

// submodule fetches and writes a submodule, as git submodule update --init
// --recursive does.
func (t *gitTar) submodule(r *gitRepo, e treeEntry, at, to string) error {
	m, err := r.module(at)
	if err != nil || m.update == "none" {
		return err
	}
	if t.modules++; t.modules > maxModules || t.nested == maxNested {
		return gitError("it has too many submodules")
	}
	remote, err := r.remote.Submodule(m.url, e.hash.String())
	if err != nil {
		return err
	}
	sub, err := t.clone(t.ctx, remote, t.budget)
	if err != nil {
		return err
	}
	defer sub.release()
	t.nested++
	defer func() { t.nested-- }()
	return t.directory(sub, treeEntry{gitDir, sub.tree}, "", to)
}

// module returns what .gitmodules says of the submodule at a path.
func (r *gitRepo) module(at string) (gitModule, error) {
	if r.modules == nil {
		r.modules = map[string]gitModule{}
		if err := r.readModules(); err != nil {
			return gitModule{}, err
		}
	}
	at = strings.TrimSuffix(at, "/")
	m, ok := r.modules[at]
	if !ok || m.url == "" {
		return m, gitError(fmt.Sprintf("it has a submodule at %.100q, for which .gitmodules has no URL", at))
	}
	return m, nil
}

func (r *gitRepo) readModules() error {
	e, ok, err := r.entry(r.tree, ".gitmodules")
	if err != nil || !ok || e.mode&gitType != gitFile {
		return err
	}
	text, err := r.object(e.hash, plumbing.BlobObject)
	if err != nil {
		return err
	}
	file := config.New()
	if len(text) > maxModulesFile || config.NewDecoder(bytes.NewReader(text)).Decode(file) != nil {
		return gitError("its .gitmodules cannot be read")
	}
	for _, m := range file.Section("submodule").Subsections {
		r.modules[strings.TrimSuffix(m.Option("path"), "/")] = gitModule{m.Option("url"), m.Option("update")}
	}
	return nil
}
