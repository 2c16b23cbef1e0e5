package rewrite

// A Label is one image label.
type Label struct{ Key, Value string }

// DockerfileOptions says what to write into a Dockerfile and how to read it.
// The zero value reads for an unknown engine and writes nothing.
type DockerfileOptions struct {
	// Labels are written, in order, as one LABEL instruction after every FROM.
	Labels []Label
	// Guarded are the keys that no LABEL (or ONBUILD LABEL) of the file may
	// set, could set by expansion, or could hide. Usually the keys of Labels.
	Guarded []string
	// Engine is the version that will read the file. The zero value means
	// unknown: all engines' readings must agree, or the file is refused.
	Engine EngineVersion
	// BuildArgs are the values of --build-arg; a nil value names an argument
	// without one.
	BuildArgs map[string]*string
	// Target is the stage name or index the build stops at; "" is the last.
	Target string
	// Image decides on every image the file names (FROM and COPY --from that
	// are not stages, ONBUILD COPY --from), in file order. The answer replaces
	// the reference in a FROM, "" leaves it; an error refuses the file. A nil
	// func accepts everything.
	Image func(ImageRef) (string, error)
}

// An ImageRef is a place where a Dockerfile names an image.
type ImageRef struct {
	Line     int    // 1-based physical line of the instruction
	Ref      string // as the engine would resolve it, arguments expanded
	Platform string // of FROM --platform, arguments expanded; "" is the default
	From     bool   // a FROM; otherwise a COPY --from
}

// Scanned is a rewritten Dockerfile.
type Scanned struct {
	Text     []byte
	Inserted []int // 1-based lines of Text that the source does not have, ascending
}

// Dockerfile rewrites the text of one Dockerfile for the classic builder.
// Every byte outside FROM instructions is kept. Errors are *Refusal with File
// set to name.
func Dockerfile(name string, text []byte, o DockerfileOptions) (*Scanned, error) {
	panic("being written")
}
