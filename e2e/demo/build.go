package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/moby/moby/client"

	"sockguard/e2e/engine"
)

// A step is an instruction as the engine reports it, and what it made: nothing,
// an image, or a container and an image.
type step struct {
	text             string
	container, image *engine.Made
}

// stage reports whether the step only begins a stage.
func (s step) stage() bool { return strings.HasPrefix(s.text, "FROM ") }

// build builds the sample on a socket, with the classic builder.
func (d *demo) build(ctx context.Context, on *client.Client) ([]step, error) {
	trace := engine.StartTrace(ctx, d.engine)
	defer trace.Stop()
	archive, err := packContext(d.sample)
	if err != nil {
		return nil, err
	}
	base := d.base()
	resp, err := on.ImageBuild(ctx, bytes.NewReader(archive), client.ImageBuildOptions{
		Tags: []string{"sockguard-demo/app:" + d.mark}, BuildArgs: map[string]*string{"BASE": &base}, Remove: true,
	})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	output, err := buildOutput(resp.Body)
	if err != nil {
		return nil, err
	}
	containers, err := trace.Containers(ctx)
	if err != nil {
		return nil, err
	}
	images, err := engine.Marked(ctx, d.engine, d.mark)
	if err != nil {
		return nil, err
	}
	return parseSteps(output, containers, images), nil
}

// packContext makes the tar that a client sends for a directory.
func packContext(dir string) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close())
	return b.Bytes(), err
}

// buildOutput returns the text of a build's JSON stream, or the build's error.
func buildOutput(r io.Reader) (string, error) {
	var text strings.Builder
	for d := json.NewDecoder(r); ; {
		var m struct{ Stream, Error string }
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			return text.String(), nil
		}
		if err != nil {
			return "", err
		}
		if m.Error != "" {
			return "", errors.New(m.Error)
		}
		text.WriteString(m.Stream)
	}
}

var (
	stepLine      = regexp.MustCompile(`^Step \d+/\d+ : (.*)$`)
	containerLine = regexp.MustCompile(`^ ---> Running in ([0-9a-f]{12})$`)
	pinned        = regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	imageLine     = regexp.MustCompile(`^ ---> ([0-9a-f]{12})$`)
)

// parseSteps reads the classic builder's output, which names every container
// and image it makes.
func parseSteps(output string, containers, images []engine.Made) []step {
	var steps []step
	for line := range strings.Lines(output) {
		line = strings.TrimSuffix(line, "\n")
		if m := stepLine.FindStringSubmatch(line); m != nil {
			// sockguard pins a base to the ID that it looked at; the sample has one.
			steps = append(steps, step{text: pinned.ReplaceAllLiteralString(m[1], "$BASE")})
			continue
		}
		if len(steps) == 0 || steps[len(steps)-1].stage() {
			continue // the image of a FROM is there already
		}
		last := &steps[len(steps)-1]
		if m := containerLine.FindStringSubmatch(line); m != nil {
			last.container = byID(containers, m[1])
		}
		if m := imageLine.FindStringSubmatch(line); m != nil {
			last.image = byID(images, m[1])
		}
	}
	return steps
}

func byID(made []engine.Made, prefix string) *engine.Made {
	for _, m := range made {
		if strings.HasPrefix(m.ID, prefix) {
			return &m
		}
	}
	return &engine.Made{ID: prefix}
}
