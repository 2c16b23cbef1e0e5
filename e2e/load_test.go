package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// unpacked is the files of an archive, by name.
func unpacked(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	for tr := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = string(b)
	}
}

// ociLayout makes an OCI layout of what docker save has written of one image.
func ociLayout(t *testing.T, archive []byte) []byte {
	t.Helper()
	files := unpacked(t, archive)
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal([]byte(files["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	file := func(name, text string) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	blob := func(kind, text, more string) string {
		sum := sha256.Sum256([]byte(text))
		file(fmt.Sprintf("blobs/sha256/%x", sum), text)
		return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%x","size":%d%s}`, kind, sum, len(text), more)
	}
	var layers []string
	for _, name := range manifest[0].Layers {
		kind := "layer.v1.tar"
		if strings.HasPrefix(files[name], "\x1f\x8b") { // of the containerd image store
			kind += "+gzip"
		}
		layers = append(layers, blob(kind, files[name], ""))
	}
	image := fmt.Sprintf(`{"schemaVersion":2,"config":%s,"layers":[%s]}`,
		blob("config.v1+json", files[manifest[0].Config], ""), strings.Join(layers, ","))
	name := fmt.Sprintf(`,"annotations":{"io.containerd.image.name":"docker.io/%s"}`, manifest[0].RepoTags[0])
	file("index.json", fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, blob("manifest.v1+json", image, name)))
	file("oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An image of anybody's, in an archive, becomes the image of who loads it, and
// is the same otherwise.
func TestLoadMakesItMine(t *testing.T) {
	need(t)
	g, other := newGuard(t), newGuard(t)
	same := func(_ *testing.T, b []byte) []byte { return b }
	for _, tt := range []struct {
		name string
		from *guard
		pack func(*testing.T, []byte) []byte
	}{
		{"of nobody", nil, same},
		{"of another owner", other, same},
		{"of my own", g, same},
		{"compressed", other, gzipped},
		{"OCI layout", other, ociLayout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			maker := tt.from
			if maker == nil {
				maker = &guard{host: e2e.host}
			}
			tag := maker.builtImage(t, "loaded")
			layers := e2e.unguarded(t, "image", "inspect", "-f", "{{json .RootFS.Layers}}", tag)
			id := e2e.unguarded(t, "image", "inspect", "-f", "{{.Id}}", tag)
			archive := []byte(maker.docker(t, "save", tag).exits(0).stdout)
			if maker != g {
				g.pipe(t, bytes.NewReader(tt.pack(t, archive)), "load").fails("image name " + tag + " is taken")
			}
			maker.docker(t, "rmi", tag).ok()
			if said := g.pipe(t, bytes.NewReader(tt.pack(t, archive)), "load").ok(); said != "Loaded image: "+tag {
				t.Errorf("docker load says %q", said)
			}
			if got := ownerOf(t, "image", tag); got != g.owner {
				t.Errorf("the loaded image has owner %q, want %q", got, g.owner)
			}
			if got := g.docker(t, "image", "inspect", "-f", "{{json .RootFS.Layers}}", tag).ok(); got != layers {
				t.Errorf("the loaded image has the layers %s, want %s", got, layers)
			}
			if got := g.docker(t, "image", "inspect", "-f", "{{.Id}}", tag).ok(); (got == id) != (maker == g) {
				t.Errorf("the image %s is loaded as %s", id, got)
			}
			if got := g.docker(t, "run", "--rm", tag).ok(); got != "loaded" {
				t.Errorf("the loaded image says %q", got)
			}
		})
	}
}

// What cannot be labelled is not loaded, in words that help.
func TestLoadRefuses(t *testing.T) {
	need(t)
	g := newGuard(t)
	p := newProject(t, "-- a/json --\n{}\n-- a/VERSION --\n1.0\n-- a/layer.tar --\nx\n-- repositories --\n{}\n")
	g.pipe(t, bytes.NewReader(p.tar(t)), "load").fails("sockguard: the image archive has neither manifest.json nor index.json")
}
