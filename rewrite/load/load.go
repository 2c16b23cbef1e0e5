// Package load labels the images of an archive that a client uploads for docker
// load, as a stream.
//
// [Rewrite] reads what docker save of any engine since 1.10 writes, and OCI image
// layouts as buildx writes them. Labels are part of an image's configuration, so
// an image that lacks one gets a new configuration, a new manifest and a new ID.
// Layers stay as they are and are never held in memory.
//
// # Limits
//
// An archive may hold plain files, directories, and symbolic links from one
// layer.tar to another. The JSON files that have to be read have at most 4 MiB and
// 100,000 values each and 16 MiB together, and those that are written 16 MiB. Indexes
// may be nested 8 deep. An archive may give 1000 names. Archives from before Docker
// 1.10 are refused. Compression is as in package buildcontext.
//
// # Errors
//
// What the client can mend is a [rewrite.Refusal]. Other errors are those of
// reading, writing and [Options].Tag. After an error the output ends inside an
// entry, so that no reader takes it for a complete archive.
package load

import (
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
	"sockguard/rewrite/rawjson"
	"sockguard/rewrite/tarcopy"
)

// Options says how to rewrite an image archive.
type Options struct {
	// Labels are set on every image of the archive.
	Labels []rewrite.Label
	// Reserve is called before n more bytes of memory are taken. An error refuses the
	// archive. A nil func allows any number.
	Reserve func(n int) error
	// Tag is called for every name that the archive gives to an image, such as
	// "busybox:latest", before the output ends. An error refuses the archive. A
	// nil func allows every name.
	Tag func(ref string) error
	// Rename returns the name that the output has in place of one that Tag has
	// allowed. It is called once for each; nil keeps the names.
	Rename func(ref string) string
}

// Files in the root of an image archive that tell engines what it holds.
const (
	manifestName     = "manifest.json" // docker save since 1.10
	indexName        = "index.json"    // OCI layout, docker save since 25
	layoutName       = "oci-layout"
	repositoriesName = "repositories" // docker save before 1.10
)

// Rewrite copies the image archive src to dst as a plain tar, with the labels on
// every image.
//
// The files that tell what the archive holds come last: new configurations and
// manifests, then index.json and manifest.json. The files that they replace stay
// in the archive without a reference to them. manifest.json is written for an OCI
// layout too, and names the image for this machine's platform. Without it some
// engines would look for images in the format from before Docker 1.10, in files
// that this package did not read.
//
// Index entries that cannot be labelled are left out: platforms whose manifest is
// not in the archive, artifacts that are not images, and attestations, as these
// name images by their old digest.
func Rewrite(dst io.Writer, src io.Reader, o Options) error {
	c := &rewriter{
		Copy:    tarcopy.New("image archive", dst, src, 0),
		opts:    o,
		room:    maxKeptJSON,
		toMake:  maxMadeJSON,
		files:   map[string]*blob{},
		blobs:   map[string]*blob{},
		configs: map[*blob]*blob{},
		images:  map[*blob]*loaded{},
		names:   map[string]string{},
		made:    map[string]*blob{},
	}
	c.Reserve = o.Reserve
	defer c.Close()
	err := c.Each(func() error { return c.Next(c.entry) })
	if err == nil {
		err = c.complete()
	}
	if err != nil {
		c.Cut()
	}
	return err
}

// A rewriter rewrites one image archive.
type rewriter struct {
	*tarcopy.Copy
	opts Options

	manifest, index []byte           // manifest.json, index.json; nil when absent
	files           map[string]*blob // the JSON files that are kept, by path
	blobs           map[string]*blob // the same, by digest
	room            int64            // bytes left for more of them
	toMake          int64            // bytes left for what is written anew
	spilled         bool             // some JSON file is not kept

	configs map[*blob]*blob   // labelled configurations, by the old one
	images  map[*blob]*loaded // rewritten manifests and indexes, by the old one; nil is left out
	names   map[string]string // what stands for an image name that Tag has allowed, by the full name
	made    map[string]*blob  // blobs to add to the archive, by digest
	added   []textFile        // the same, in order
}

// complete writes the new blobs, the tables and the end of the archive.
func (c *rewriter) complete() error {
	files, err := c.tables()
	if err != nil {
		return err
	}
	for _, f := range append(c.added, files...) {
		if err := c.File(plainFile(f.name), f.text); err != nil {
			return err
		}
	}
	return c.Finish()
}

type textFile struct {
	name string
	text []byte
}

// tables returns the files that tell what the archive holds.
func (c *rewriter) tables() (files []textFile, err error) {
	if c.manifest == nil && c.index == nil {
		return nil, rewrite.Refusef("", 0, "the image archive has neither %s nor %s: it holds no image, or one in the format from before Docker 1.10; save the image anew",
			manifestName, indexName)
	}
	var items []*dockerItem
	if c.index != nil {
		var index jsontext.Value
		if index, items, err = c.layout(); err != nil {
			return nil, err
		}
		files = append(files, textFile{layoutName, []byte(`{"imageLayoutVersion":"1.0.0"}`)}, textFile{indexName, index})
	}
	manifest := rawjson.Encode(items)
	if c.manifest != nil {
		if manifest, err = c.dockerManifest(); err != nil {
			return nil, err
		}
	} else if len(items) == 0 {
		return nil, rewrite.Refusef(indexName, 0, "no image is in it")
	}
	return append(files, textFile{manifestName, manifest}), nil
}
