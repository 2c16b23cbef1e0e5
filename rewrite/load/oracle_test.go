package load

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/moby/go-archive"
	"github.com/moby/go-archive/compression"

	"sockguard/rewrite/internal/tartest"
)

// A loadedImage is an image that an engine finds in an archive.
type loadedImage struct {
	ID     string
	Names  []string
	Labels map[string]string
	Layers []string // digests of the files
	Rest   string   // what else the configuration says
}

var errNotLoaded = errors.New("the engine cannot load this")

// describe reads a configuration as engines do.
func describe(config []byte) (loadedImage, error) {
	var c struct {
		Config          struct{ Labels map[string]string }
		RootFS, History json.RawMessage
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return loadedImage{}, err
	}
	labels := c.Config.Labels
	c.Config.Labels = nil
	rest, err := json.Marshal(c)
	return loadedImage{ID: sumOf(config), Labels: labels, Rest: string(rest)}, err
}

func sumOf(text []byte) string { return newBlob(text).digest }

// loadAsGraphDriver loads an archive as engines with graph drivers do (moby's
// image/tarexport/load.go), with moby's own unpacker. Up to release 28 they fall
// back to the format of Docker 1.9.
func loadAsGraphDriver(t testing.TB, archived []byte) ([]loadedImage, error) {
	t.Helper()
	root, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	plain, err := compression.DecompressStream(bytes.NewReader(archived))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	if err := archive.Untar(plain, root, &archive.TarOptions{NoLchown: true}); err != nil {
		return nil, err
	}
	text, err := tartest.ReadInScope(root, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return loadLegacy(root)
	}
	if err != nil {
		return nil, err
	}
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&manifest); err != nil {
		return nil, err
	}
	var images []loadedImage
	for _, m := range manifest {
		config, err := tartest.ReadInScope(root, m.Config)
		if err != nil {
			return nil, err
		}
		image, err := describe(config)
		if err != nil {
			return nil, err
		}
		image.Names = m.RepoTags
		for _, layer := range m.Layers {
			b, err := tartest.ReadInScope(root, layer)
			if err != nil {
				return nil, err
			}
			image.Layers = append(image.Layers, sumOf(b))
		}
		images = append(images, image)
	}
	return images, nil
}

func loadLegacy(root string) (images []loadedImage, err error) {
	dirs, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	for _, d := range dirs {
		if text, err := tartest.ReadInScope(root, d.Name()+"/json"); err == nil {
			image, err := describe(text)
			if err != nil {
				return nil, err
			}
			images = append(images, image)
		}
	}
	if len(images) == 0 {
		return nil, errNotLoaded
	}
	return images, nil
}

type ociDescriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations"`
}

// A contentStore is containerd's, filled from one archive. Files are found by
// digest, not by name.
type contentStore struct {
	names map[string][]byte
	blobs map[string][]byte
}

// loadAsContainerd loads an OCI layout as engines with the containerd store do
// (containerd's images/archive/importer.go).
func loadAsContainerd(t testing.TB, archived []byte) ([]loadedImage, error) {
	t.Helper()
	s := contentStore{map[string][]byte{}, map[string][]byte{}}
	plain, err := compression.DecompressStream(bytes.NewReader(archived))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	for tr := tar.NewReader(plain); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		s.names[path.Clean(h.Name)], s.blobs[sumOf(b)] = b, b
	}
	if s.names["oci-layout"] == nil || s.names["index.json"] == nil {
		return nil, errNotLoaded
	}
	var index struct{ Manifests []ociDescriptor }
	if err := json.Unmarshal(s.names["index.json"], &index); err != nil {
		return nil, err
	}
	var all []loadedImage
	for _, d := range index.Manifests {
		images, err := s.images(d)
		if err != nil {
			return nil, err
		}
		name := d.Annotations["io.containerd.image.name"]
		if name == "" {
			name = d.Annotations["org.opencontainers.image.ref.name"]
		}
		for i := range images {
			images[i].Names = []string{name}
		}
		all = append(all, images...)
	}
	return all, nil
}

// images finds the images below a descriptor.
func (s contentStore) images(d ociDescriptor) (all []loadedImage, err error) {
	text, ok := s.blobs[d.Digest]
	if !ok {
		return nil, nil // may be in the store from before
	}
	if len(text) != d.Size {
		return nil, errNotLoaded
	}
	var m struct {
		Manifests []ociDescriptor
		Config    ociDescriptor
		Layers    []ociDescriptor
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	if strings.Contains(d.MediaType, "index") || strings.Contains(d.MediaType, "list") {
		for _, child := range m.Manifests {
			images, err := s.images(child)
			if err != nil {
				return nil, err
			}
			all = append(all, images...)
		}
		return all, nil
	}
	config, ok := s.blobs[m.Config.Digest]
	if !ok || len(config) != m.Config.Size {
		return nil, errNotLoaded
	}
	image, err := describe(config)
	for _, layer := range m.Layers {
		image.Layers = append(image.Layers, layer.Digest)
	}
	return []loadedImage{image}, err
}
