package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func (p *printer) noEngine(err error) {
	p.line(p.paint(red, err.Error()))
	p.line("So there is no build and no table. But the main job is a rewrite of the build context,")
	p.line("and that needs no engine:\n")
}

// showRewrite pipes the sample's context through `sockguard rewrite` and prints
// the Dockerfile that the engine would build.
func showRewrite(ctx context.Context, p *printer, binary, sample string) error {
	archive, err := packContext(sample)
	if err != nil {
		return err
	}
	p.command("tar c -C e2e/demo/sample . | sockguard rewrite --owner " + owner + " | tar x")
	cmd := exec.CommandContext(ctx, binary, "rewrite", "--owner", owner)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(archive), os.Stderr
	rewritten, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("sockguard rewrite: %w", err)
	}
	before, err := os.ReadFile(filepath.Join(sample, "Dockerfile"))
	if err != nil {
		return err
	}
	names, after, err := findDockerfile(rewritten)
	if err != nil {
		return err
	}
	p.diff(string(before), after)
	p.line(p.paint(dim, "the context now: "+strings.Join(names, " ")) + "\n")
	return nil
}

// findDockerfile returns the names in a rewritten context, and the last file
// that is a Dockerfile: the one that the engine builds.
func findDockerfile(archive []byte) (names []string, text string, err error) {
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, text, nil
		}
		if err != nil {
			return nil, "", err
		}
		names = append(names, h.Name)
		if !strings.HasSuffix(h.Name, "Dockerfile") {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, "", err
		}
		text = string(b)
	}
}

// diff prints a text in which lines were only added, and marks those.
func (p *printer) diff(before, after string) {
	old := strings.Split(before, "\n")
	p.line("")
	for line := range strings.SplitSeq(strings.TrimSuffix(after, "\n"), "\n") {
		if len(old) > 0 && old[0] == line {
			p.line(strings.TrimRight("  "+line, " "))
			old = old[1:]
			continue
		}
		p.line(p.paint(green, "+ "+line))
	}
	p.line("")
}
