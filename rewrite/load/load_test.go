package load

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sockguard/rewrite"
	"sockguard/rewrite/internal/tartest"
)

const ownerKey = "com.buildkite.sockguard.owner"

var loadMine = Options{Labels: []rewrite.Label{{Key: ownerKey, Value: "me"}}}

func loadAll(archive []byte, o Options) ([]byte, error) {
	var out bytes.Buffer
	err := Rewrite(&out, bytes.NewReader(archive), o)
	return out.Bytes(), err
}

// checkLoad checks that every image of the archive is loaded with the labels
// and otherwise as it was, whatever engine loads it.
func checkLoad(t testing.TB, in, out []byte) {
	t.Helper()
	for _, engine := range []func(testing.TB, []byte) ([]loadedImage, error){loadAsGraphDriver, loadAsContainerd} {
		got, err := engine(t, out)
		if errors.Is(err, errNotLoaded) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, image := range got {
			if image.Labels[ownerKey] != "me" {
				t.Errorf("image %v has the labels %v", image.Names, image.Labels)
			}
		}
		want, err := engine(t, in)
		if err != nil {
			continue // an OCI layout, which this engine cannot load without sockguard
		}
		for _, image := range append(got, want...) {
			delete(image.Labels, ownerKey)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(loadedImage{}, "ID"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the images change (-without +with):\n%s", diff)
		}
	}
}

// Archives that engines and buildx have written are loaded with the label.
func TestLoadRealArchives(t *testing.T) {
	tests := []struct {
		file  string
		names []string
	}{
		{"save-20.10", []string{"example/app:1", "example/app:two", "example/other:1"}},
		{"save-26.1", []string{"example/app:1", "example/app:two", "example/other:1"}},
		{"save-26.1-containerd", []string{"example/app:1"}},
		{"buildx-0.13-oci", []string{"example/app:1"}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			in := tartest.ReadGzip(t, "testdata/"+tt.file+".tar.gz")
			var names []string
			o := loadMine
			o.Tag = func(ref string) error { names = append(names, ref); return nil }
			out, err := loadAll(in, o)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(names)
			if diff := cmp.Diff(tt.names, names); diff != "" {
				t.Errorf("the names asked about (-want +got):\n%s", diff)
			}
			images, err := loadAsGraphDriver(t, out)
			if err != nil || len(images) == 0 {
				t.Errorf("an engine with a graph driver loads %v, %v", images, err)
			}
			if !strings.HasSuffix(tt.file, "20.10") {
				in = withoutAttestations(t, in)
			}
			checkLoad(t, in, out)
			again, err := loadAll(out, o)
			if err != nil {
				t.Fatal(err)
			}
			second, err := loadAsGraphDriver(t, again)
			if diff := cmp.Diff(images, second); diff != "" || err != nil {
				t.Errorf("an image that has the label changes (-first +second), %v:\n%s", err, diff)
			}
		})
	}
}

// withoutAttestations is the archive without the manifests that attestations
// are in, for the oracle.
func withoutAttestations(t *testing.T, archive []byte) []byte {
	var kept []tartest.Item
	for _, it := range itemsOfTar(t, archive) {
		if !strings.Contains(it.Body, "in-toto") {
			kept = append(kept, it)
		}
	}
	return tartest.Of(t, kept...)
}

func itemsOfTar(t testing.TB, archive []byte) (all []tartest.Item) {
	t.Helper()
	for tr := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := tr.Next()
		if err != nil {
			return all
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(tr); err != nil {
			t.Fatal(err)
		}
		all = append(all, tartest.Item{Name: h.Name, Body: body.String(), Link: h.Linkname, Dir: h.Typeflag == tar.TypeDir})
	}
}

// A parcel is an archive that a test puts together.
type parcel struct{ items []tartest.Item }

// blob adds a blob and returns the descriptor of it.
func (p *parcel) blob(mediaType, text, more string) string {
	digest := sumOf([]byte(text))
	p.items = append(p.items, tartest.Item{Name: blobPath(digest), Body: text})
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, mediaType, digest, len(text), more)
}

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

// image adds an image of one layer.
func (p *parcel) image(config, more string) string {
	layer := p.blob(layerType, "layer", "")
	return p.blob(manifestType, fmt.Sprintf(`{"schemaVersion":2,"config":%s,"layers":[%s]}`, p.blob(configType, config, ""), layer), more)
}

// layout is the archive as an OCI layout.
func (p *parcel) layout(manifests ...string) []tartest.Item {
	return append(slices.Clip(p.items),
		tartest.Item{Name: "oci-layout", Body: `{"imageLayoutVersion":"1.0.0"}`},
		tartest.Item{Name: "index.json", Body: indexOf(manifests...)})
}

func indexOf(manifests ...string) string {
	return `{"schemaVersion":2,"manifests":[` + strings.Join(manifests, ",") + `]}`
}

func named(name string) string {
	return fmt.Sprintf(`,"annotations":{"io.containerd.image.name":%q,"org.opencontainers.image.ref.name":"1"}`, name)
}

// saved is an archive as Docker 20.10 writes it.
func saved(manifest string, configs ...string) []tartest.Item {
	items := []tartest.Item{{Name: "1/layer.tar", Body: "layer one"}, {Name: "2/layer.tar", Link: "../1/layer.tar"}}
	for i, c := range configs {
		items = append(items, tartest.Item{Name: fmt.Sprintf("%d.json", i), Body: c})
	}
	return append(items, tartest.Item{Name: "manifest.json", Body: manifest}, tartest.Item{Name: "repositories", Body: "{}"})
}

func TestLoad(t *testing.T) {
	file := func(name, body string) tartest.Item { return tartest.Item{Name: name, Body: body} }
	one := `[{"Config":"0.json","RepoTags":["a:1"],"Layers":["1/layer.tar","2/layer.tar"]}]`
	var p parcel
	plain := p.image(`{}`, named("docker.io/library/a:1"))
	arm := p.image(`{"architecture":"arm64"}`, `,"platform":{"os":"linux","architecture":"arm64"}`)
	absent := strings.Replace(plain, `sha256:`, `sha256:0`, 1)
	attestation := p.image(`{"os":"unknown"}`, `,"annotations":{"vnd.docker.reference.digest":"sha256:1"}`)
	artifact := p.blob(manifestType, `{"config":`+p.blob("application/vnd.oci.empty.v1+json", "{}", "")+`,"layers":[]}`, "")
	nested := p.blob(indexType, indexOf(absent, arm, attestation, artifact), named("a"))
	hollow := p.blob(indexType, indexOf(absent, attestation), "")
	deep := arm
	for range maxIndexes + 1 {
		deep = p.blob(indexType, indexOf(deep), "")
	}
	badConfig := p.image(`{"Config":{}}`, "")
	noConfig := p.blob(manifestType, `{"config":{"mediaType":"`+configType+`","digest":"sha256:1","size":1},"layers":[]}`, "")
	both := p.blob(manifestType, `{"config":{},"manifests":[]}`, "")
	big := "{" + strings.Repeat(" ", maxJSON) + "}"
	tests := []struct {
		name    string
		items   []tartest.Item
		refused string
	}{
		{name: "no config", items: saved(one, `{"rootfs":{},"history":[1e400,9007199254740993]}`)},
		{name: "null config", items: saved(one, `{"config":null}`)},
		{name: "null labels", items: saved(one, `{"config":{"Cmd":["x"],"Labels":null},"rootfs":{}}`)},
		{name: "foreign owner", items: saved(one, `{"config":{"Labels":{"com.buildkite.sockguard.owner":"them","a":"b"}}}`)},
		{name: "escaped foreign owner", items: saved(one, `{"config":{"Labels":{"\u0063om.buildkite.sockguard.owner":"them"}}}`)},
		{name: "mine already", items: saved(one, `{ "config" : {"Labels":{"com.buildkite.sockguard.owner":"me"}}}`)},
		{name: "unclean names", items: saved(`[{"Config":"./x/../0.json","RepoTags":null,"Layers":["1/layer.tar"]}]`, `{}`)},
		{name: "two images", items: saved(`[{"Config":"0.json","Layers":[]},{"Config":"1.json","Layers":["1/layer.tar"]}]`, `{"a":1}`, `{"a":2}`)},
		{name: "no image", items: saved(`[]`)},
		{name: "dots", items: []tartest.Item{{Name: "./", Dir: true}, file("./0.json", "{}"), file("./manifest.json", `[{"Config":"0.json"}]`)}},
		{name: "same file twice", items: append([]tartest.Item{file("0.json", "{}")}, saved(one, "{}")...)},
		{name: "layer like JSON", items: append([]tartest.Item{file("1/layer.tar", "{junk"), file("3/layer.tar", big)}, saved(`[{"Config":"0.json","Layers":["3/layer.tar"]}]`, "{}")[2:]...)},
		{name: "layout", items: p.layout(plain)},
		{name: "both layouts", items: append(p.layout(plain), file("manifest.json", `[{"Config":"`+blobPath(sumOf([]byte(`{}`)))+`"}]`))},
		{name: "both layouts, index without names", items: append(saved(one, `{}`), file("oci-layout", "{}"), file("index.json", `{"manifests":null}`))},

		{name: "nothing", refused: "neither manifest.json nor index.json"},
		{name: "Docker 1.9", items: []tartest.Item{file("a/json", "{}"), file("a/VERSION", "1.0"), file("a/layer.tar", "x"), file("repositories", "{}")},
			refused: "before Docker 1.10; save the image anew"},
		{name: "null", items: saved("null", "{}"), refused: "manifest.json: this is null"},
		{name: "no configuration", items: saved(one), refused: `manifest.json: the image configuration "0.json" is not in the image archive`},
		{name: "linked configuration", items: saved(`[{"Config":"2/layer.tar"}]`), refused: "is not in the image archive"},
		{name: "large configuration", items: saved(one, big), refused: "is not among the JSON that is read"},
		{name: "member in another case", items: saved(`[{"config":"0.json","Config":"0.json"}]`, "{}"), refused: "engines read it as Config"},
		{name: "config in another case", items: saved(one, `{"Config":{}}`), refused: ".Config: engines read it as config"},
		{name: "config that folds", items: saved(one, `{"config":{"Label\u017f":{}}}`), refused: "engines read it as Labels"},
		{name: "config twice", items: saved(one, `{"config":{},"config":{}}`), refused: "duplicate"},
		{name: "config that is a list", items: saved(one, `{"config":[]}`), refused: "it is no JSON object but a list"},
		{name: "bad name", items: saved(`[{"Config":"0.json","RepoTags":["A"]}]`, "{}"), refused: `"A" is no image name`},
		{name: "name with a digest", items: saved(`[{"Config":"0.json","RepoTags":["moby-dangling@sha256:`+strings.Repeat("0", 64)+`"]}]`, "{}"),
			refused: "give it a tag"},
		{name: "file twice", items: append(saved(one, "{}"), file("x/../0.json", `{"a":1}`)), refused: "0.json: the image archive has this file twice"},
		{name: "file, then a layer", items: append([]tartest.Item{file("0.json", "{}"), file("0.json", "layer")}, saved(one)...), refused: "this file twice"},
		{name: "file, then a link", items: append([]tartest.Item{file("x/layer.tar", "{}"), {Name: "x/layer.tar", Link: "../1/layer.tar"}}, saved(one)...), refused: "this file twice"},
		{name: "manifest.json twice", items: append(saved(one, "{}"), file("manifest.json", "[]")), refused: "manifest.json: the image archive has this file twice"},
		{name: "linked manifest.json", items: []tartest.Item{{Name: "manifest.json", Link: "x"}}, refused: "must be a plain file"},
		{name: "linked directory", items: []tartest.Item{{Name: "a", Link: "."}}, refused: `symbolic link to "."`},
		{name: "linked directory by a layer's name", items: []tartest.Item{{Name: "a/layer.tar", Link: ".."}}, refused: `symbolic link to ".."`},
		{name: "link out of the archive", items: []tartest.Item{{Name: "a/layer.tar", Link: "../../x.tar"}}, refused: "symbolic link"},
		{name: "hard link", items: []tartest.Item{file("a", ""), {Name: "b", Hard: "a"}}, refused: "tar type '1'"},
		{name: "outside", items: []tartest.Item{file("../a", "")}, refused: "no name for a file"},
		{name: "large manifest.json", items: []tartest.Item{file("manifest.json", big)}, refused: "more than the 4194304"},

		{name: "hollow layout", items: p.layout(hollow, absent), refused: "no image that it names is in the image archive"},
		{name: "empty layout", items: p.layout(), refused: "no image is in it"},
		{name: "deep", items: p.layout(deep), refused: "nested more than 8 deep"},
		{name: "bad configuration", items: p.layout(badConfig), refused: "engines read it as config"},
		{name: "missing configuration", items: p.layout(noConfig), refused: "its configuration is not in the image archive"},
		{name: "manifest and index", items: p.layout(both), refused: "has manifests like an index"},
		{name: "index as a manifest", items: p.layout(strings.Replace(nested, indexType, manifestType, 1)), refused: "has manifests like an index"},
		{name: "manifest as an index", items: p.layout(strings.Replace(plain, manifestType, indexType, 1)), refused: "has a config like a manifest"},
		{name: "descriptor in two cases", items: p.layout(strings.Replace(plain, `"digest"`, `"Digest":"sha256:1","digest"`, 1)), refused: "engines read it as digest"},
		{name: "name that is no string", items: p.layout(strings.Replace(plain, `"docker.io/library/a:1"`, `1`, 1)), refused: "io.containerd.image.name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := tartest.Of(t, tt.items...)
			out, err := loadAll(in, loadMine)
			if tt.refused == "" {
				if err != nil {
					t.Fatal(err)
				}
				checkLoad(t, in, out)
				return
			}
			if _, ok := errors.AsType[*rewrite.Refusal](err); !ok || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("got error %v, want a refusal with %q", err, tt.refused)
			}
			tartest.CheckCut(t, out)
		})
	}
}

// An index keeps the images that are in the archive, and names them in full.
func TestLoadIndex(t *testing.T) {
	var p parcel
	here := p.image(`{"a":"here"}`, fmt.Sprintf(`,"platform":{"os":"linux","architecture":%q},"data":"e30="`, runtime.GOARCH))
	other := p.image(`{"a":"other"}`, `,"platform":{"os":"linux","architecture":"mips"}`)
	absent := strings.Replace(here, `sha256:`, `sha256:0`, 1)
	attestation := p.image(`{"os":"unknown"}`, `,"annotations":{"vnd.docker.reference.digest":"sha256:1"}`)
	artifact := p.blob(manifestType, `{"config":`+p.blob("application/vnd.oci.empty.v1+json", "{}", "")+`,"layers":[]}`, "")
	index := p.blob(indexType, indexOf(absent, other, attestation, here, artifact), named("a"))
	old := p.blob(indexType, indexOf(other), `,"annotations":{"org.opencontainers.image.ref.name":"b:2"}`)
	out, err := loadAll(tartest.Of(t, p.layout(index, old)...), loadMine)
	if err != nil {
		t.Fatal(err)
	}
	got, err := loadAsContainerd(t, out)
	if err != nil {
		t.Fatal(err)
	}
	mine := map[string]string{ownerKey: "me"}
	layers := []string{sumOf([]byte("layer"))}
	want := []loadedImage{
		{Names: []string{"docker.io/library/a:latest"}, Labels: mine, Layers: layers},
		{Names: []string{"docker.io/library/a:latest"}, Labels: mine, Layers: layers},
		{Names: []string{"docker.io/library/b:2"}, Labels: mine, Layers: layers},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(loadedImage{}, "ID", "Rest")); diff != "" {
		t.Errorf("containerd's images (-want +got):\n%s", diff)
	}
	driver, err := loadAsGraphDriver(t, out)
	if err != nil || len(driver) != 2 || driver[0].ID == driver[1].ID {
		t.Errorf("got %+v, %v; want this machine's image and the other one", driver, err)
	}
}

// A name that Tag refuses refuses the archive. Tag is called once for each name.
func TestLoadAsksForNames(t *testing.T) {
	taken := errors.New("taken")
	var asked []string
	o := loadMine
	o.Tag = func(ref string) error {
		asked = append(asked, ref)
		if ref == "theirs:latest" {
			return taken
		}
		return nil
	}
	tags, err := json.Marshal([]string{"a", "docker.io/library/a:latest", "x.io/b:1", "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := loadAll(tartest.Of(t, saved(`[{"Config":"0.json","RepoTags":`+string(tags)+`}]`, "{}")...), o)
	if !errors.Is(err, taken) {
		t.Errorf("got error %v", err)
	}
	tartest.CheckCut(t, out)
	if diff := cmp.Diff([]string{"a:latest", "x.io/b:1", "theirs:latest"}, asked); diff != "" {
		t.Errorf("the names asked about (-want +got):\n%s", diff)
	}
}

// A parent in the same archive gets its new ID, any other is removed.
func TestLoadRenamesParents(t *testing.T) {
	base, child := `{"a":1}`, `{"a":2}`
	items := saved(`[{"Config":"0.json","Parent":"sha256:foreign"},{"Config":"1.json","Parent":"`+sumOf([]byte(base))+`"}]`, base, child)
	out, err := loadAll(tartest.Of(t, items...), loadMine)
	if err != nil {
		t.Fatal(err)
	}
	all := itemsOfTar(t, out)
	var got []struct{ Config, Parent string }
	if err := json.Unmarshal([]byte(all[len(all)-1].Body), &got); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(got[0].Config, "blobs/sha256/", "sha256:", 1)
	if len(got) != 2 || got[0].Parent != "" || got[1].Parent != want {
		t.Errorf("got %+v, want %s for the parent of the second", got, want)
	}
}
