package load_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"

	"sockguard/rewrite"
	"sockguard/rewrite/load"
)

func ExampleRewrite() {
	var archive, out bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range []struct{ name, text string }{
		{"config.json", `{"architecture":"amd64","config":{"Labels":{"owner":"somebody"}}}`},
		{"manifest.json", `[{"Config":"config.json","RepoTags":["app:1"],"Layers":[]}]`},
	} {
		w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text))})
		io.WriteString(w, f.text)
	}
	w.Close()

	err := load.Rewrite(&out, &archive, load.Options{
		Labels: []rewrite.Label{{Key: "owner", Value: "team-a"}},
		Tag:    func(ref string) error { fmt.Println("name", ref); return nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if err != nil {
			return
		}
		fmt.Printf("-- %.20s\n", h.Name)
		io.Copy(os.Stdout, r)
		fmt.Println()
	}
	// Output:
	// name app:1
	// -- ./
	//
	// -- config.json
	// {"architecture":"amd64","config":{"Labels":{"owner":"somebody"}}}
	// -- blobs/sha256/4549aaf
	// {"architecture":"amd64","config":{"Labels":{"owner":"team-a"}}}
	// -- manifest.json
	// [{"Config":"blobs/sha256/4549aaf989ef8906fc874dd96673cae5ff141c3bf4f984b44ce59a2e03c085f2","RepoTags":["app:1"],"Layers":[]}]
}
