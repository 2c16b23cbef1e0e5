// Package dockerfile writes labels into a Dockerfile for the classic builder of
// Docker Engine, so that every container and image of a build carries them.
//
// [Rewrite] inserts one LABEL instruction after every FROM. It refuses files in
// which another LABEL could set the same key, and hands every image that the
// build uses to a function that may refuse it or pin it by ID. All other bytes
// of the file stay as they are.
//
// The package scans lines the way the parser in the engine does: continuations,
// parser directives, here-documents, ONBUILD, ARG and the variables of a FROM.
// Releases of the engine differ in these. For a known release the file is read
// as that release reads it. For an unknown one all releases from 20.10 on must
// agree on the FROMs and images of the file, or it is refused.
//
// # Limits
//
// The package does not check what it need not know: an instruction that the
// engine rejects, such as a COPY without arguments, passes. A file for BuildKit
// only, with a syntax directive or RUN --mount, is read as the classic builder
// reads it. A FROM may use $x, ${x} and ${x-y}, ${x+y}, ${x?y} with or without a
// colon, but no patterns such as ${x%y}. A physical line has at most 64 KiB, a
// file at most 1000 stages and 1000 names of images. The caller bounds the size of the file.
//
// # Errors
//
// A file that has to change before it can be built is refused with a
// [rewrite.Refusal] that names the file and the line. Any other error is that of
// the Image function, or of a label that cannot be written.
package dockerfile

import (
	"sort"

	"sockguard/rewrite"
)

// Options says what to write into a Dockerfile and how to read it. The zero
// value writes nothing and reads for an unknown engine.
type Options struct {
	// Labels are written, in order, as one LABEL instruction after every FROM.
	Labels []rewrite.Label
	// Guarded are the keys that no LABEL or ONBUILD LABEL of the file may set,
	// or could set by expansion. Usually they are the keys of Labels.
	Guarded []string
	// Engine is the release that will read the file. The zero value is an
	// unknown one.
	Engine rewrite.EngineVersion
	// BuildArgs are the values of --build-arg. A nil value names an argument
	// without a value.
	BuildArgs map[string]*string
	// Target is the name of the stage at which the build stops; "" is the last
	// stage. The classic builder takes no stage number here.
	Target string
	// Image is called for every image that the build uses up to the target, in
	// order of use: FROM and COPY --from that do not name a stage. It is called
	// for the COPY --from of an ONBUILD trigger when a FROM runs the trigger.
	//
	// An error refuses the file. A [rewrite.Refusal] gets its File and Line. A
	// nil func accepts every image.
	Image func(ImageRef) (Image, error)
}

// An Image is what a reference names. The zero value leaves the reference alone.
type Image struct {
	// ID replaces the reference, unless it is "". It must be an ID, a digest or a
	// name with a tag, so that it cannot name a stage.
	ID string
	// OnBuild are the triggers that a FROM runs. They are checked like the
	// instructions of the file, and their images are replaced too.
	OnBuild []string
	// Triggering returns the ID for a FROM of an image with OnBuild, given the
	// triggers that it has to run. A nil func leaves ID and OnBuild as they are.
	Triggering func(onbuild []string) (id string, err error)
}

// An ImageRef is a place where a Dockerfile names an image.
type ImageRef struct {
	Line     int    // 1-based physical line of the instruction
	Ref      string // the name as the engine sees it, variables expanded
	Platform string // the platform of the FROM, variables expanded; "" is the default
	From     bool   // the instruction is a FROM; otherwise a COPY --from
}

// Scanned is a rewritten Dockerfile.
type Scanned struct {
	Text     []byte
	Inserted []int // 1-based lines of Text that the source does not have, ascending
	// Steps are the steps that an engine numbers or prints differently from a
	// build of the source, ascending. Steps after the target are left out.
	Steps []Step

	marks []mark
}

// A Step is one step of a build, as the classic builder reports it.
type Step struct {
	Number int    // 1-based, in a build of Text
	Source string // the instruction of the source; "" for an inserted step
}

// A mark says that the lines of Text from text on are the lines of the source
// from source on.
type mark struct{ text, source int }

// SourceLine returns the line of the source for line n of Text. The line of an
// inserted LABEL is that of its FROM.
func (s *Scanned) SourceLine(n int) int {
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].text > n }) - 1
	if i < 0 {
		return n
	}
	return s.marks[i].source + n - s.marks[i].text
}

// Rewrite rewrites the text of the Dockerfile called name. It changes a FROM or a
// COPY --from only to put it on one line or to replace its image.
func Rewrite(name string, text []byte, o Options) (*Scanned, error) {
	label, err := labelLine(o.Labels)
	if err != nil {
		return nil, err
	}
	p, rejecting, lerr := agreed(text, &o)
	if lerr != nil {
		return nil, lerr.in(name)
	}
	images, err := p.images(name, &o)
	if err != nil {
		return nil, err
	}
	s, lerr := p.render(text, label, images)
	if lerr == nil {
		lerr = stillRejected(s.Text, rejecting, &o)
	}
	if lerr != nil {
		return nil, lerr.in(name)
	}
	return s, nil
}

// LabelInstruction returns the LABEL instruction that sets labels, without a
// line end. The changes= parameters of a commit and an import take it.
func LabelInstruction(labels []rewrite.Label) (string, error) {
	line, err := labelLine(labels)
	return string(line[:max(0, len(line)-1)]), err
}
