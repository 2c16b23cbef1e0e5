package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"github.com/rogpeppe/go-internal/txtar"

	"sockguard/e2e/engine"
)

// A project is a build context on disk with a base image of its own.
type project struct {
	dir  string
	mark string
	base string
}

// newProject writes the files of a txtar archive, @BASE@ in them being the
// project's base image.
func newProject(t *testing.T, files string) project {
	t.Helper()
	mark := strings.ToLower("mark-" + rand.Text()[:10])
	p := project{dir: t.TempDir(), mark: mark, base: e2e.marked(t, mark)}
	if err := txtar.Write(txtar.Parse([]byte(strings.ReplaceAll(files, "@BASE@", p.base))), p.dir); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p project) file(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tar packs the project as clients pack a context.
func (p project) tar(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(p.dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// checkOwned fails the test unless the project's build made at least so many
// images and containers, all of them with the owner's label. The base image is
// not among them: it is made by the suite and stays without a label.
func (p project) checkOwned(t *testing.T, trace *engine.Trace, owner string, images, containers int) {
	t.Helper()
	all, err := engine.Marked(t.Context(), e2e.engine, p.mark)
	if err != nil {
		t.Fatal(err)
	}
	ran, err := trace.ContainersOf(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	made := slices.DeleteFunc(slices.Clone(all), func(i engine.Made) bool { return i.Parent == "" })
	check := func(kind string, made []engine.Made, least int) {
		if len(made) < least {
			t.Errorf("the build made %d %ss, want %d or more", len(made), kind, least)
		}
		for _, m := range made {
			if got := m.Labels[engine.OwnerLabel]; got != owner {
				t.Errorf("%s %.12s: owner %q, want %q", kind, m.ID, got, owner)
			}
		}
	}
	check("image", made, images)
	check("container", ran, containers)
}

// checkNothingRuns fails the test if a container of the project is left.
func (p project) checkNothingRuns(t *testing.T) {
	t.Helper()
	left, err := e2e.engine.ContainerList(t.Context(), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("ancestor", p.base),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range left.Items {
		t.Errorf("left behind: container %.12s %s", c.ID, c.Command)
	}
}
