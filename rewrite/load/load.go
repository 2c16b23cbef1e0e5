package load

import (
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite"
	"sockguard/rewrite/rawjson"
	"sockguard/rewrite/tarcopy"
)

// LoadOptions says how to rewrite an image archive.
type Options struct {
	// Labels are set on every image of the archive, whatever it says itself.
	Labels []rewrite.Label
	// Tag is asked about every name that the archive gives to an image, as in
	// "busybox:latest", before the archive ends. An error refuses the archive;
	// nil allows every name.
	Tag func(ref string) error
}

// Names in the root of an image archive that engines go by.
const (
	manifestName     = "manifest.json" // docker save since 1.10
	indexName        = "index.json"    // OCI layout, docker save since 25
	layoutName       = "oci-layout"
	repositoriesName = "repositories" // docker save before 1.10
)

// Load copies the image archive src, which docker save or an OCI tool made and
// which may be compressed like a build context, to dst as a plain tar, as a
// stream, with the labels on every image. Layers are never held.
//
// The files that say what the archive holds come last, written anew, after new
// configurations and manifests; those that they replace stay in the archive and
// are named nowhere. An image that has the labels keeps its ID, any other gets
// a new one. manifest.json is always written, for an OCI layout too: without it
// an engine may take files that nobody looked at for images in the format
// before 1.10. It names the image for this machine's platform.
//
// Left out of indexes is what cannot be labelled: platforms that the archive
// does not contain, artifacts that are not images, and attestations, which
// speak of digests that are no more.
//
// On an error dst has been cut inside an entry, so that no reader takes it for
// a complete archive; what the client can mend is a *Refusal.
func Rewrite(dst io.Writer, src io.Reader, o Options) error {
	c := &rewriter{
		Copy:    tarcopy.New("image archive", dst, src, 0),
		opts:    o,
		room:    maxKeptJSON,
		files:   map[string]*blob{},
		blobs:   map[string]*blob{},
		configs: map[*blob]*blob{},
		images:  map[*blob]*loaded{},
		names:   map[string]bool{},
	}
	defer c.Close()
	err := c.run()
	if err != nil {
		c.Cut()
	}
	return err
}

// A loadCopy is one image archive on its way.
type rewriter struct {
	*tarcopy.Copy
	opts Options

	manifest, index []byte           // manifest.json, index.json; nil when absent
	files           map[string]*blob // JSON that has passed, by path
	blobs           map[string]*blob // the same, by digest
	room            int64            // for more of it
	spilled         bool             // JSON has passed that is not kept

	configs map[*blob]*blob   // configurations, labelled
	images  map[*blob]*loaded // manifests and indexes, rewritten
	names   map[string]bool   // image names that Tag has allowed
	made    []*blob           // what the archive has to get
	isMade  map[string]*blob  // the same, by digest
}

func (c *rewriter) run() error {
	if err := c.Begin(); err != nil {
		return err
	}
	for {
		err := c.Next(c.entry)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := c.Drain(); err != nil {
		return err
	}
	return c.complete()
}

// complete writes what the archive has to get and its end.
func (c *rewriter) complete() error {
	files, err := c.tables()
	if err != nil {
		return err
	}
	for _, b := range c.made {
		if err := c.File(plainFile(b.path()), b.text); err != nil {
			return err
		}
	}
	for _, f := range files {
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

// tables returns the files that say what the archive holds.
func (c *rewriter) tables() (files []textFile, err error) {
	if c.manifest == nil && c.index == nil {
		return nil, rewrite.Refusef("", 0, "the image archive has neither %s nor %s: it holds no image, or one in the format from before Docker 1.10; save the image anew",
			manifestName, indexName)
	}
	var items []dockerItem
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
