package rewrite

import "io"

// Names that sockguard adds to the root of a context.
const (
	DockerfileName   = ".sockguard.Dockerfile"
	dockerignoreName = ".dockerignore"
)

// ContextOptions says how to rewrite a build context.
type ContextOptions struct {
	// Dockerfile is the dockerfile= parameter: a path inside the context, ""
	// for "Dockerfile" with the engine's fallback to "dockerfile".
	Dockerfile string
	DockerfileOptions
	// MaxBytes and MaxEntries bound the decompressed context; 0 is no bound.
	MaxBytes, MaxEntries int64
}

// Context copies the build context src, a tar that may be compressed with
// gzip, bzip2, xz or zstd, to dst as a plain tar, as a stream. The first entry
// is "./"; the client's entries follow unchanged, but for those of reserved
// names; the last two are .sockguard.Dockerfile, the rewritten text of the
// Dockerfile that the engine would have built, and a .dockerignore that hides
// it from COPY.
//
// The *Scanned describes the rewritten Dockerfile. On an error dst has been cut
// inside an entry, so that no reader takes it for a complete archive; what the
// client can mend is a *Refusal.
func Context(dst io.Writer, src io.Reader, o ContextOptions) (*Scanned, error) {
	panic("being written")
}
