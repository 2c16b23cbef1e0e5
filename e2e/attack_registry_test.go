package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// startRegistry runs an image registry on the engine and returns its address.
func startRegistry(t *testing.T) string {
	t.Helper()
	id := e2e.unguarded(t, "run", "-d", "-p", "127.0.0.1::5000", e2e.common, "registry", ":5000")
	t.Cleanup(func() { e2e.discard(t, id) })
	address := e2e.unguarded(t, "port", id, "5000")
	t.Cleanup(func() { forget(address) })
	eventually(t, func() bool {
		resp, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return address
}

// forget removes every name and digest of a registry from the engine.
func forget(registry string) {
	ctx := context.Background()
	images, err := e2e.engine.ImageList(ctx, client.ImageListOptions{All: true})
	if err != nil {
		return
	}
	for _, i := range images.Items {
		for _, ref := range slices.Concat(i.RepoTags, i.RepoDigests) {
			if strings.HasPrefix(ref, registry+"/") {
				e2e.engine.ImageRemove(ctx, ref, client.ImageRemoveOptions{Force: true})
			}
		}
	}
}

// publish pushes an image to a registry under a name that the engine then forgets.
func publish(t *testing.T, image, name string) {
	t.Helper()
	e2e.unguarded(t, "tag", image, name)
	e2e.unguarded(t, "push", "-q", name)
	e2e.unguarded(t, "rmi", "--no-prune", name)
}

// An ociIndex is an image for several platforms, made by hand.
type ociIndex struct {
	index   []byte
	blobs   map[string][]byte
	kinds   map[string]string // media types of manifests, by digest
	volumes map[string]string // by architecture
}

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
)

// ociIndexOf makes an index with one image for each architecture of Linux. An
// image has the labels whose key begins with "ARCH:", or with nothing of the kind.
func ociIndexOf(t *testing.T, labels map[string]string, archs ...string) *ociIndex {
	t.Helper()
	return ociIndexWith(t, nil, labels, archs...)
}

// ociIndexWith is ociIndexOf with a volume for some of the architectures.
func ociIndexWith(t *testing.T, volumes, labels map[string]string, archs ...string) *ociIndex {
	t.Helper()
	x := &ociIndex{volumes: volumes, blobs: map[string][]byte{}, kinds: map[string]string{}}
	var manifests []string
	for _, arch := range archs {
		own := map[string]string{}
		for key, value := range labels {
			if where, rest, ok := strings.Cut(key, ":"); !ok || where == arch {
				if ok {
					key = rest
				}
				own[key] = value
			}
		}
		manifests = append(manifests, x.image(t, arch, own))
	}
	x.index = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, indexType, strings.Join(manifests, ","))
	return x
}

// image adds the image of one architecture and returns its descriptor.
func (x *ociIndex) image(t *testing.T, arch string, labels map[string]string) string {
	t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	text := "made for " + arch + fmt.Sprint(labels)
	if err := w.WriteHeader(&tar.Header{Name: "said", Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, text)
	w.Close()
	inner := map[string]any{"Labels": labels, "Cmd": []string{"/said"}}
	if target := x.volumes[arch]; target != "" {
		inner["Volumes"] = map[string]any{target: struct{}{}}
	}
	config, err := json.Marshal(map[string]any{
		"os": "linux", "architecture": arch, "config": inner,
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer.Bytes()))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]}`, manifestType,
		x.blob("application/vnd.oci.image.config.v1+json", config, ""), x.blob("application/vnd.oci.image.layer.v1.tar", layer.Bytes(), ""))
	return x.blob(manifestType, []byte(manifest), fmt.Sprintf(`,"platform":{"os":"linux","architecture":%q}`, arch))
}

// blob adds a blob and returns its descriptor.
func (x *ociIndex) blob(mediaType string, b []byte, more string) string {
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(b))
	x.blobs[digest] = b
	if mediaType == manifestType {
		x.kinds[digest] = mediaType
	}
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, mediaType, digest, len(b), more)
}

// push uploads the index to a registry under REGISTRY/NAME:TAG.
func (x *ociIndex) push(t *testing.T, ref string) {
	t.Helper()
	registry, path, _ := strings.Cut(ref, "/")
	name, tag, _ := strings.Cut(path, ":")
	base := "http://" + registry + "/v2/" + name
	put := func(url, mediaType string, b []byte) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", mediaType)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("PUT %s: %s", url, resp.Status)
		}
	}
	for digest, b := range x.blobs {
		if x.kinds[digest] != "" {
			put(base+"/manifests/"+digest, x.kinds[digest], b)
		} else {
			put(base+"/blobs/uploads/1?digest="+digest, "application/octet-stream", b)
		}
	}
	put(base+"/manifests/"+tag, indexType, x.index)
}

// archive is the index as an OCI layout in a tar, for docker load.
func (x *ociIndex) archive(t *testing.T, ref string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	file := func(name string, text []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		w.Write(text)
	}
	for digest, text := range x.blobs {
		file("blobs/sha256/"+strings.TrimPrefix(digest, "sha256:"), text)
	}
	name := fmt.Sprintf(`,"annotations":{"io.containerd.image.name":%q}`, ref)
	file("index.json", fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[%s]}`, x.blob(indexType, x.index, name)))
	file("blobs/sha256/"+fmt.Sprintf("%x", sha256.Sum256(x.index)), x.index)
	file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
