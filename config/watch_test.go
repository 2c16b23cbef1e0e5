package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWatcher(t *testing.T) {
	dir := t.TempDir()
	write := func(path, text string) {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rename := func(from, to string) {
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, path string) {
		if err := os.Symlink(target, filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	// Kubernetes mounts a directory of links through ..data, which it exchanges.
	for _, v := range []string{"1", "2"} {
		if err := os.Mkdir(filepath.Join(dir, v), 0o700); err != nil {
			t.Fatal(err)
		}
		write(v+"/c.yaml", v)
	}
	link("1", "..data")
	link("..data/c.yaml", "c.yaml")
	w := newWatcher(filepath.Join(dir, "c.yaml"))
	for _, tt := range []struct {
		name   string
		change func()
		want   bool
	}{
		{"nothing", func() {}, false},
		{"another file", func() { write("other", "x") }, false},
		{"link on the way", func() { link("2", "tmp"); rename("tmp", "..data") }, true},
		{"written in place", func() { write("2/c.yaml", "longer") }, true},
		{"removed", func() { rename("2/c.yaml", "kept") }, false},
		{"put back", func() { rename("kept", "2/c.yaml") }, false},
		{"replaced", func() { write("new", "longer"); rename("new", "2/c.yaml") }, true},
	} {
		tt.change()
		if w.changed() {
			t.Errorf("%s: taken before it was the same for one interval", tt.name)
		}
		if got := w.changed(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		if w.changed() {
			t.Errorf("%s: reported twice", tt.name)
		}
	}
}
