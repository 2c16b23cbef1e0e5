package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/moby/client"
)

// A Base is the root filesystem of the suite's base images: box as /bin/sh and
// all the commands that scripts call by their path.
type Base struct{ rootfs []byte }

// NewBase compiles box and packs it.
func NewBase(ctx context.Context) (*Base, error) {
	dir, err := os.MkdirTemp("", "sockguard-base-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := GoBuildStatic(ctx, "./e2e/box", filepath.Join(dir, "box")); err != nil {
		return nil, err
	}
	box, err := os.ReadFile(filepath.Join(dir, "box"))
	if err != nil {
		return nil, err
	}
	rootfs, err := packRootfs(box)
	return &Base{rootfs}, err
}

func packRootfs(box []byte) ([]byte, error) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	entries := []tar.Header{
		{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "root/", Typeflag: tar.TypeDir, Mode: 0o700},
		{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
		{Name: "bin/box", Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(box))},
	}
	for _, name := range []string{
		"sh", "cat", "cp", "echo", "env", "find", "grep", "httpd", "id", "ls", "mkdir", "mv", "registry",
		"rm", "sha256sum", "sleep", "touch", "tree", "true", "tty", "wc", "wget",
	} {
		entries = append(entries, tar.Header{Name: "bin/" + name, Typeflag: tar.TypeSymlink, Linkname: "box", Mode: 0o777})
	}
	for _, h := range entries {
		if err := tw.WriteHeader(&h); err != nil {
			return nil, err
		}
		if h.Size == 0 {
			continue
		}
		if _, err := tw.Write(box); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), tw.Close()
}

// Import makes the base image ref on the engine, with the given ENV settings
// and without any label. One layer serves however many references.
func (b *Base) Import(ctx context.Context, engine *client.Client, ref string, env ...string) error {
	changes := []string{`CMD ["sh"]`, "ENV PATH=/bin"}
	for _, e := range env {
		changes = append(changes, "ENV "+e)
	}
	resp, err := engine.ImageImport(ctx,
		client.ImageImportSource{Source: bytes.NewReader(b.rootfs), SourceName: "-"},
		ref, client.ImageImportOptions{Changes: changes})
	if err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	defer resp.Close()
	if _, err := io.Copy(io.Discard, resp); err != nil {
		return fmt.Errorf("import %s: %w", ref, err)
	}
	_, err = engine.ImageInspect(ctx, ref)
	return err
}
