package load

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"sockguard/rewrite/internal/tartest"
)

// The output does not depend on the size of reads, and every image in it has the
// label. The output for a refused archive is not an archive.
func FuzzLoad(f *testing.F) {
	var p parcel
	layout := p.layout(p.image(`{"a":1}`, named("a:1")))
	for _, items := range [][]tartest.Item{layout, saved(`[{"Config":"0.json","RepoTags":["a:1"],"Layers":["1/layer.tar"]}]`, `{}`)} {
		plain := tartest.Of(f, items...)
		f.Add(plain)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := loadAll(data, loadMine)
		var slow bytes.Buffer
		errSlow := Rewrite(&slow, iotest.OneByteReader(bytes.NewReader(data)), loadMine)
		if fmt.Sprint(err) != fmt.Sprint(errSlow) || !bytes.Equal(out, slow.Bytes()) {
			t.Fatalf("the result depends on the size of reads: %v, %v", err, errSlow)
		}
		checkOwned(t, out, err)
	})
}

// checkOwned checks that no engine loads an image without the label, and
// nothing at all after an error.
func checkOwned(t *testing.T, out []byte, err error) {
	t.Helper()
	if err != nil {
		tartest.CheckCut(t, out)
		return
	}
	driver, _ := loadAsGraphDriver(t, out)
	containerd, _ := loadAsContainerd(t, out)
	for _, image := range append(driver, containerd...) {
		if image.Labels[ownerKey] != "me" {
			t.Errorf("image %+v is loaded without the label", image)
		}
	}
}

// With any names, links and members of an archive's files, no engine finds an
// image without the label.
func FuzzLoadIsOwned(f *testing.F) {
	names, bodies, links := loadVocabulary()
	f.Add([]byte("\x00\x05\x00\x03\x01\x00\x01\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var items []tartest.Item
		for ; len(data) >= 3 && len(items) < 12; data = data[3:] {
			it := tartest.Item{Name: names[int(data[1])%len(names)]}
			switch data[0] % 8 {
			case 0:
				it.Link = links[int(data[2])%len(links)]
			case 1:
				it.Dir = true
			default:
				it.Body = bodies[int(data[2])%len(bodies)]
			}
			items = append(items, it)
		}
		out, err := loadAll(tartest.Of(t, items...), loadMine)
		checkOwned(t, out, err)
	})
}

// loadVocabulary returns the names, contents and link targets that an attacker
// combines.
func loadVocabulary() (names, bodies, links []string) {
	const theirs = `{"config":{"Labels":{"com.buildkite.sockguard.owner":"them"}}}`
	mine := strings.Replace(theirs, "them", "me", 1)
	var p parcel
	image := p.image(theirs, named("a:1"))
	owned := p.image(mine, "")
	missing := p.blob(manifestType, `{"config":`+new(parcel).blob(configType, `{"a":1}`, "")+`,"layers":[]}`, "")
	index := p.blob(indexType, indexOf(image, owned), "")
	for _, it := range p.items {
		names, bodies = append(names, it.Name), append(bodies, it.Body)
	}
	names = append(names, manifestName, indexName, layoutName, repositoriesName, "./manifest.json", "Manifest.json", "a/../index.json",
		"0.json", "a/json", "a/layer.tar", "b/layer.tar", "a/layer.tar/manifest.json", "a/layer.tar/0.json", "b/layer.tar/0.json", "blobs", "blobs/sha256")
	bodies = append(bodies, theirs, mine, `{"Config":{}}`, `{"imageLayoutVersion":"1.0.0"}`, `[]`, `null`, "layer",
		indexOf(image), indexOf(index), indexOf(owned, missing), indexOf(strings.Replace(image, "digest", "Digest", 1)),
		indexOf(strings.Replace(index, indexType, manifestType, 1)), `{"Manifests":[`+image+`]}`)
	for _, config := range []string{"0.json", "a/json", "a/layer.tar/0.json", "b/layer.tar/0.json", blobPath(sumOf([]byte(mine))), blobPath(sumOf([]byte(theirs)))} {
		bodies = append(bodies, `[{"Config":"`+config+`","RepoTags":["a:1"]}]`)
	}
	links = []string{"../b/layer.tar", "../0.json", "..", ".", "../a.tar", "0.json", "blobs/sha256", "/", "../../x.tar"}
	return names, bodies, links
}
