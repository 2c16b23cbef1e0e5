package buildcontext_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"

	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
)

func ExampleRewrite() {
	var context, out bytes.Buffer
	w := tar.NewWriter(&context)
	for _, f := range []struct{ name, text string }{
		{"Dockerfile", "FROM alpine\nCOPY . /src\n"},
		{"main.go", "package main\n"},
	} {
		w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.text))})
		io.WriteString(w, f.text)
	}
	w.Close()

	_, err := buildcontext.Rewrite(&out, &context, buildcontext.Options{
		Rewrite: dockerfile.Options{
			Labels:  []rewrite.Label{{Key: "owner", Value: "team-a"}},
			Guarded: []string{"owner"},
		},
		MaxBytes: 1 << 30,
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
		fmt.Println("--", h.Name)
		if h.Name == buildcontext.DockerfileName {
			text, _ := io.ReadAll(r)
			fmt.Printf("%s", text)
		}
	}
	// Output:
	// -- ./
	// -- main.go
	// -- Dockerfile
	// -- .sockguard.Dockerfile
	// FROM alpine
	// LABEL 'owner'='team-a'
	// COPY . /src
	// -- .dockerignore
}
