package load

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"

	"sockguard/rewrite/internal/tartest"
)

// A layerReader makes the beginning of an archive: n files, with a body and a number each
// or, if size is not 0, of no particular contents.
type layerReader struct {
	t    testing.TB
	n    int
	body string
	size int64
	file io.Reader
}

func (r *layerReader) Read(p []byte) (int, error) {
	for {
		if r.file != nil {
			if n, err := r.file.Read(p); err == nil {
				return n, nil
			}
		}
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		number := ""
		if r.size == 0 {
			number = fmt.Sprint(r.n)
		}
		size := len(r.body) + len(number)
		head := tartest.Header(r.t, tar.Header{Name: fmt.Sprintf("layers/%d", r.n), Size: max(r.size, int64(size)), Mode: 0o644})
		// Without a copy of the body the test measures no garbage of its own.
		r.file = io.MultiReader(bytes.NewReader(head), strings.NewReader(r.body), strings.NewReader(number),
			bytes.NewReader(make([]byte, -size&511)), &tartest.Filler{N: r.size})
	}
}

func layers(t testing.TB, n int, body string, size int64) io.Reader {
	image := tartest.Of(t, saved(`[{"Config":"0.json"}]`, "{}")...)
	return io.MultiReader(&layerReader{t: t, n: n, body: body, size: size}, bytes.NewReader(image))
}

// Layers are not held in memory, and JSON only up to the budget.
func TestLoadConstantMemory(t *testing.T) {
	const spilled = "is not among the JSON that is read, 16 MiB of each archive"
	tests := []struct {
		name    string
		src     io.Reader
		bound   uint64
		refused string
	}{
		{name: "2 GiB layer", src: layers(t, 1, "", 2<<30), bound: 2 << 20},
		{name: "40,000 layers", src: layers(t, 40000, "layer", 0), bound: 12 << 20},
		{name: "large JSON files", src: layers(t, 1000, "{"+strings.Repeat(" ", 1<<16), 0), bound: 3 * maxKeptJSON, refused: spilled},
		{name: "many JSON files", src: layers(t, 40000, "{", 0), bound: 3 * maxKeptJSON, refused: spilled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			grown := tartest.HeapGrowth(func() { err = Rewrite(io.Discard, tt.src, loadMine) })
			t.Logf("the heap grew by %d KiB", grown>>10)
			if grown > tt.bound {
				t.Errorf("the heap grew by %d bytes, want at most %d", grown, tt.bound)
			}
			if (err == nil) != (tt.refused == "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("got error %v, want one with %q", err, tt.refused)
			}
		})
	}
}

// ociLayout is the archive of an OCI layout with some blobs and an index.json.
func ociLayout(t testing.TB, index string, blobs ...string) []byte {
	items := []tartest.Item{{Name: "oci-layout", Body: `{"imageLayoutVersion":"1.0.0"}`}}
	for _, b := range blobs {
		items = append(items, tartest.Item{Name: fmt.Sprintf("blobs/sha256/%x", sha256.Sum256([]byte(b))), Body: b})
	}
	return tartest.Of(t, append(items, tartest.Item{Name: indexName, Body: index})...)
}

func descriptor(media, text string) string {
	return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.%s.v1+json","digest":"sha256:%x","size":%d}`, media, sha256.Sum256([]byte(text)), len(text))
}

func repeated(n int, text string) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }

// A few bytes of archive do not make many of memory or of output: by descriptors of
// one image, lists of layers, or JSON values of two bytes.
func TestLoadBoundsWhatItMakes(t *testing.T) {
	layer := fmt.Sprintf(`{"digest":"sha256:%064d"}`, 1)
	const config = `{"os":"linux","config":{}}`
	of := func(config, layers string) string {
		return fmt.Sprintf(`{"config":%s,"layers":[%s]}`, descriptor("config", config), layers)
	}
	manifest := func(layers string) string { return of(config, layers) }
	values := `{"x":[` + repeated(1_000_000, `"a"`) + "]}"
	many := manifest(repeated(1500, layer))
	index := func(list string) string { return fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, list) }
	var nested, nestedList []string
	for i := range 1500 {
		nested = append(nested, index(fmt.Sprintf(`%s,{"size":%d}`, descriptor("manifest", many), i)))
		nestedList = append(nestedList, descriptor("index", nested[i]))
	}
	var manifests, manifestList []string
	for i := range 100 {
		manifests = append(manifests, manifest(repeated(1000, fmt.Sprintf(`{"digest":"a:%d"}`, i))))
		manifestList = append(manifestList, descriptor("manifest", manifests[i]))
	}
	named := make([]string, maxNames)
	for i := range named {
		named[i] = strings.TrimSuffix(descriptor("manifest", many), "}") + fmt.Sprintf(`,"annotations":{%q:"example/app:%d"}}`, imageNameAnnotation, i)
	}
	tests := []struct {
		name    string
		archive []byte
		refused string
	}{
		{"one image many times", ociLayout(t, index(repeated(1500, descriptor("manifest", many))), config, many), ""},
		{"one image with many names", ociLayout(t, index(strings.Join(named, ",")), config, many), ""},
		{"one image in many indexes", ociLayout(t, index(strings.Join(nestedList, ",")), append(nested, config, many)...), ""},
		{"many images with many layers", ociLayout(t, index(strings.Join(manifestList, ",")), append(manifests, config)...), ""},
		{"descriptors of nothing", ociLayout(t, index(repeated(1_000_000, "{}")), config), "JSON values"},
		{"values of a configuration", ociLayout(t, index(descriptor("manifest", of(values, ""))), of(values, ""), values), "is not among the JSON that is read"},
		{"items of manifest.json", tartest.Of(t, saved(`[`+repeated(33_000, `{"Config":"0.json"}`)+`]`, "{}")...), "more than 16 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n counter
			var err error
			grown := tartest.HeapGrowth(func() { err = Rewrite(&n, bytes.NewReader(tt.archive), loadMine) })
			t.Logf("an archive of %d KiB: the heap grew by %d KiB, and %d KiB were written", len(tt.archive)>>10, grown>>10, n>>10)
			if grown > 48<<20 || int(n) > len(tt.archive)+maxMadeJSON {
				t.Errorf("an archive of %d KiB made the heap grow by %d KiB and wrote %d KiB", len(tt.archive)>>10, grown>>10, n>>10)
			}
			if (err == nil) != (tt.refused == "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("got error %v, want one with %q", err, tt.refused)
			}
		})
	}
}

// A counter counts what is written.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
