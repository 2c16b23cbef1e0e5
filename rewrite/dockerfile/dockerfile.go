package dockerfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"sockguard/rewrite"
)

// DockerfileOptions says what to write into a Dockerfile and how to read it.
// The zero value reads for an unknown engine and writes nothing.
type Options struct {
	// Labels are written, in order, as one LABEL instruction after every FROM.
	Labels []rewrite.Label
	// Guarded are the keys that no LABEL (or ONBUILD LABEL) of the file may
	// set, or could set by expansion. Usually the keys of Labels.
	Guarded []string
	// Engine is the version that will read the file. The zero value means
	// unknown: all engines' readings must agree, or the file is refused.
	Engine rewrite.EngineVersion
	// BuildArgs are the values of --build-arg; a nil value names an argument
	// without one.
	BuildArgs map[string]*string
	// Target is the name of the stage the build stops at; "" is the last. The
	// classic builder knows no stage numbers here.
	Target string
	// Image decides on every image that the build uses: FROM and COPY --from
	// that are not stages, up to the target, in the order of use. An ONBUILD
	// COPY --from is one where a later stage starts from its stage, or a FROM
	// from its image.
	//
	// An error refuses the file; a *Refusal gets its File and Line. A nil func
	// accepts everything.
	Image func(ImageRef) (Image, error)
}

// An Image is what stands behind a reference. The zero value leaves it alone.
type Image struct {
	// ID replaces the reference in a FROM; "" leaves it. It must be an ID or
	// digest or have a tag, so that it is no stage.
	ID string
	// OnBuild are the triggers that a FROM runs. They are held to what is asked
	// of the file, and the images that they name are asked for.
	OnBuild []string
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
	// Steps are the steps that an engine counts otherwise, or shows otherwise,
	// than in a build of the source, ascending. Those after the target are none.
	Steps []Step

	marks []mark
}

// A Step is one step of a build, as the classic builder reports it.
type Step struct {
	Number int    // 1-based, of the Text
	Source string // the instruction of the source; "" for an inserted step
}

// A mark says that line text of the Text and those that follow it are line
// source of the source and those that follow it.
type mark struct{ text, source int }

// SourceLine returns the source's line for line n of Text: for an inserted line
// that of its FROM.
func (s *Scanned) SourceLine(n int) int {
	i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].text > n }) - 1
	if i < 0 {
		return n
	}
	return s.marks[i].source + n - s.marks[i].text
}

// Dockerfile rewrites the text of one Dockerfile for the classic builder.
// Every byte outside FROM instructions is kept, and so are these unless they
// have several lines or another image. What the file's author can mend is a
// *Refusal with File set to name; other errors are those of Image, and Labels
// that cannot be written.
func Rewrite(name string, text []byte, o Options) (*Scanned, error) {
	label, err := labelLine(o.Labels)
	if err != nil {
		return nil, err
	}
	p, rejecting, lerr := agreed(text, &o)
	if lerr != nil {
		return nil, rewrite.Refusef(name, lerr.line, "%v", lerr.err)
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
		return nil, rewrite.Refusef(name, lerr.line, "%v", lerr.err)
	}
	return s, nil
}

// agreed returns the plan that all readings of an engine make of a file, but for
// those that reject it: on such an engine nothing is built, whatever the others
// make of it.
func agreed(text []byte, o *Options) (first *plan, rejecting []*reading, err *lineError) {
	var by *reading
	for _, r := range readingsOf(o.Engine) {
		p, perr := r.plan(text, o)
		switch {
		case by == nil && !perr.rejects():
			first, err, by = p, perr, r
		case perr.rejects():
			rejecting = append(rejecting, r)
			if by == nil {
				err = cmp.Or(err, perr)
			}
		case (err == nil) != (perr == nil) || err == nil && !first.equal(p):
			return nil, nil, disagree(first.differs(p, err, perr), by, r)
		}
	}
	return first, rejecting, err
}

// stillRejected makes sure that the readings that reject a file reject what was
// made of it: lines that were put together might read well.
func stillRejected(text []byte, rejecting []*reading, o *Options) *lineError {
	for _, r := range rejecting {
		if _, err := r.plan(text, &Options{BuildArgs: o.BuildArgs}); !err.rejects() {
			return disagree(0, r, r)
		}
	}
	return nil
}

func disagree(line int, r, s *reading) *lineError {
	return &lineError{line, fmt.Errorf("engines %d.%d and %d.%d read the file differently from here on (here-documents, parser directives, line ends or substitutions), and the version of this one is unknown",
		r.since.Major, r.since.Minor, s.since.Major, s.since.Minor)}
}

func (p *plan) equal(q *plan) bool {
	return slices.Equal(p.froms, q.froms) && slices.Equal(p.refs, q.refs)
}

// differs returns the line where two readings part: that of the error of one,
// or of the first FROM or reference that the other has not.
func (p *plan) differs(q *plan, errs ...*lineError) int {
	for _, err := range errs {
		if err != nil {
			return err.line
		}
	}
	for i, f := range p.froms {
		if i == len(q.froms) || f != q.froms[i] {
			return f.line
		}
	}
	if len(q.froms) > len(p.froms) {
		return q.froms[len(p.froms)].line
	}
	for i, r := range p.refs {
		if i == len(q.refs) || r != q.refs[i] {
			return r.Line
		}
	}
	return q.refs[len(p.refs)].Line
}

// images asks for every reference and returns the images that replace a FROM's,
// by the FROM's index.
func (p *plan) images(name string, o *Options) (map[int]string, error) {
	if o.Image == nil {
		return nil, nil
	}
	ids := map[int]string{}
	budget := maxTriggers
	for _, ref := range p.refs {
		image, err := ref.ask(name, o)
		if err != nil {
			return nil, err
		}
		if ref.from < 0 {
			continue
		}
		triggered, err := p.triggered(image.OnBuild, ref.from, o, &budget)
		if err != nil {
			return nil, rewrite.Refusef(name, ref.Line, "%s: %v", ref.Ref, err)
		}
		for _, t := range triggered {
			t.Line = ref.Line
			if _, err := t.ask(name, o); err != nil {
				return nil, err
			}
		}
		if image.ID == "" {
			continue
		}
		if !strings.Contains(image.ID, ":") || strings.ContainsFunc(image.ID, notInReference) {
			return nil, fmt.Errorf("%s line %d: %q cannot replace %s", name, ref.Line, image.ID, ref.Ref)
		}
		ids[ref.from] = image.ID
	}
	return ids, nil
}

// ask asks for the image of a reference in the file name.
func (r *reference) ask(name string, o *Options) (Image, error) {
	image, err := o.Image(r.ImageRef)
	if refusal, ok := errors.AsType[*rewrite.Refusal](err); ok {
		return image, rewrite.Refusef(name, r.Line, "%s", refusal.Reason)
	}
	if err != nil {
		return image, fmt.Errorf("%s line %d: %w", name, r.Line, err)
	}
	return image, nil
}

func notInReference(r rune) bool {
	return !isLetter(byte(r)) && !strings.ContainsRune("0123456789._/:@-", r) || r >= 0x80
}
