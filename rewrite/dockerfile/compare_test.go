package dockerfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/rewrite"
)

// compare rewrites in for each engine, and for an unknown one, and compares what
// the engines' parsers make of the results. It returns how many readings were
// accepted, and the differences. Files that are refused without need are looked
// for with the newest engine only.
func compare(t testing.TB, in string, o Options) (accepted int, diffs []string) {
	t.Helper()
	unknown, refs, unknownErr := rewriteFor(rewrite.EngineVersion{}, in, o)
	if unknownErr == nil {
		accepted++
	}
	for _, engine := range oracles(t) {
		s, known, err := rewriteFor(engine.engine, in, o)
		if err != nil && unknownErr != nil && engine != newest(t) {
			continue
		}
		source := engine.read(t, []byte(in), o)
		var problems []string
		switch {
		case err == nil:
			accepted++
			problems = append(engine.differences(t, o, source, s, known), engine.pinnedDifferences(t, in, o, source)...)
		case source.Err == "" && !isWary(err):
			problems = append(problems, fmt.Sprintf("%s: %v", refused, err))
		}
		if unknownErr == nil && (err != nil || !bytes.Equal(s.Text, unknown.Text) || !slices.Equal(known, refs)) {
			for _, p := range engine.differences(t, o, source, unknown, refs) {
				problems = append(problems, "version unknown: "+p)
			}
		}
		for _, p := range problems {
			diffs = append(diffs, fmt.Sprintf("engine %d.%d: %s", engine.engine.Major, engine.engine.Minor, p))
		}
	}
	return accepted, diffs
}

// refused begins a difference that is harmless.
const refused = "refused, but the engine builds it"

// harmful reports whether a difference is more than a file refused without need.
func harmful(diffs []string) bool {
	return slices.ContainsFunc(diffs, func(d string) bool { return !strings.Contains(d, refused) })
}

// rewriteFor rewrites in for one engine and returns the images asked for.
func rewriteFor(engine rewrite.EngineVersion, in string, o Options) (s *Scanned, refs []ImageRef, err error) {
	o.Engine, o.Labels, o.Guarded = engine, []rewrite.Label{{Key: "owner", Value: "me"}}, []string{"owner"}
	o.Image = func(r ImageRef) (Image, error) { refs = append(refs, r); return Image{}, nil }
	s, err = Rewrite("Dockerfile", []byte(in), o)
	return s, refs, err
}

// differences compares a rewritten file with what the engine reads.
func (e *oracle) differences(t testing.TB, o Options, source *verdict, s *Scanned, refs []ImageRef) (diffs []string) {
	t.Helper()
	differ := func(format string, args ...any) { diffs = append(diffs, fmt.Sprintf(format, args...)) }
	result := e.read(t, s.Text, o)
	if (source.Err == "") != (result.Err == "") {
		differ("it says %q, of the result %q", source.Err, result.Err)
	}
	if source.Err != "" || result.Err != "" {
		return diffs
	}
	again, err := Rewrite("Dockerfile", s.Text, Options{Engine: e.engine, BuildArgs: o.BuildArgs, Target: o.Target})
	if err != nil || !bytes.Equal(again.Text, s.Text) {
		differ("the result, read again: %v", err)
	}
	if diff := cmp.Diff(source.Refs, refs); diff != "" {
		differ("references (-engine +got)\n%s", diff)
	}
	var rest []node
	for i, n := range result.Nodes {
		ours := slices.Contains(s.Inserted, n.Line)
		switch {
		case ours != (i > 0 && result.Nodes[i-1].Command == "from"):
			differ("line %d of the result, %q: inserted is %v", n.Line, n.Original, ours)
		case ours && n.Original != "LABEL 'owner'='me'":
			differ("inserted %q", n.Original)
		case !ours && n.Owner:
			differ("%q sets the key", n.Original)
		}
		if !ours {
			rest = append(rest, n)
		}
	}
	if len(s.Inserted) != len(result.Nodes)-len(rest) || result.Nodes[len(result.Nodes)-1].Command == "from" {
		differ("%d labels, %d inserted", len(result.Nodes)-len(rest), len(s.Inserted))
	}
	if len(rest) != len(source.Nodes) {
		differ("%d instructions, want %d", len(rest), len(source.Nodes))
		return diffs
	}
	for i, n := range source.Nodes {
		m := rest[i]
		if n.Dump != m.Dump || strings.TrimSpace(n.Original) != strings.TrimSpace(m.Original) {
			differ("instruction %q became %q", n.Original, m.Original)
		}
		if got := s.SourceLine(m.Line); got != n.Line {
			differ("line %d of the result is said to be %d, is %d", m.Line, got, n.Line)
		}
	}
	return diffs
}

// pinnedDifferences compares a file in which every image is replaced by its ID
// with what the engine reads: it finds IDs only, and the same instructions.
func (e *oracle) pinnedDifferences(t testing.TB, in string, o Options, source *verdict) (diffs []string) {
	t.Helper()
	differ := func(format string, args ...any) { diffs = append(diffs, "pinned: "+fmt.Sprintf(format, args...)) }
	var want []string
	o.Engine = e.engine
	o.Image = func(r ImageRef) (Image, error) {
		id := fmt.Sprintf("sha256:%064x", len(want)+1)
		want = append(want, id)
		return Image{ID: id}, nil
	}
	s, err := Rewrite("Dockerfile", []byte(in), o)
	if err != nil {
		return nil // a FROM that does not fit
	}
	result := e.read(t, s.Text, o)
	var got []string
	for _, r := range result.Refs {
		got = append(got, r.Ref)
	}
	if diff := cmp.Diff(want, got); source.Err == "" && diff != "" {
		differ("references (-want +engine)\n%s", diff)
	}
	if source.Err != result.Err || len(source.Nodes) != len(result.Nodes) {
		differ("%d instructions %q, of the result %d %q", len(source.Nodes), source.Err, len(result.Nodes), result.Err)
		return diffs
	}
	for i, n := range source.Nodes {
		m := result.Nodes[i]
		if n.Command != m.Command || n.Dump != m.Dump && n.Command != "from" && !strings.Contains(m.Original, "sha256:") {
			differ("instruction %q became %q", n.Original, m.Original)
		}
		if line := s.SourceLine(m.Line); line != n.Line {
			differ("line %d of the result is said to be %d, is %d", m.Line, line, n.Line)
		}
	}
	return diffs
}

// shrink removes characters from in while it still fails, for a few seconds.
func shrink(in string, fails func(string) bool) string {
	end := time.Now().Add(10 * time.Second)
	for size := len(in) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(in) && time.Now().Before(end); {
			if shorter := in[:i] + in[i+size:]; fails(shorter) {
				in = shorter
			} else {
				i++
			}
		}
	}
	return in
}

// checkOracles fails the test if an engine reads in differently. It returns how
// many engines' readings were accepted.
func checkOracles(t testing.TB, in string, o Options) int {
	t.Helper()
	accepted, diffs := compare(t, in, o)
	if len(diffs) == 0 {
		return accepted
	}
	harm := harmful(diffs)
	in = shrink(in, func(s string) bool {
		_, d := compare(t, s, o)
		return len(d) > 0 && harmful(d) == harm
	})
	_, diffs = compare(t, in, o)
	t.Errorf("%q\n%s", in, strings.Join(diffs, "\n"))
	return accepted
}
