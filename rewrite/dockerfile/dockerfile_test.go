package dockerfile

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"sockguard/rewrite"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A golden file has a section "in" and the sections "out" and "refs", or
// "error". Its comment may set options, one a line:
//
//	engine 28.5
//	target NAME
//	arg NAME=VALUE
//	image REF NEW
//
// In all sections the names in goldenBytes, such as <NUL>, stand for bytes that a
// text file cannot show.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no golden files")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := &txtar.Archive{Comment: a.Comment}
			want := map[string]string{}
			var in string
			for _, f := range a.Files {
				if f.Name == "in" {
					in = string(f.Data)
					got.Files = append(got.Files, f)
				} else {
					want[f.Name] = string(f.Data)
				}
			}
			result := runGolden(t, string(a.Comment), goldenBytes.Replace(in))
			if *update {
				for _, name := range []string{"out", "refs", "error"} {
					if data, ok := result[name]; ok {
						got.Files = append(got.Files, txtar.File{Name: name, Data: []byte(data)})
					}
				}
				if err := os.WriteFile(file, txtar.Format(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, result); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

var (
	goldenPairs = []string{"<CR>", "\r", "<BOM>", "\ufeff", "<NBSP>", "\u00a0", "<VT>", "\v", "<FF>", "\f",
		"<EMSP>", "\u2003", "<LONGS>", "\u017f", "<DOTI>", "\u0130", "<NOEOL>\n", ""}
	goldenBytes = strings.NewReplacer(goldenPairs...)
)

// goldenText is the inverse of goldenBytes.
func goldenText(s string) string {
	pairs := make([]string, 0, len(goldenPairs))
	for i := 0; i+3 < len(goldenPairs); i += 2 {
		pairs = append(pairs, goldenPairs[i+1], goldenPairs[i])
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

func runGolden(t *testing.T, options, in string) map[string]string {
	t.Helper()
	o := Options{
		Labels:    []rewrite.Label{{Key: "owner", Value: "me"}},
		Guarded:   []string{"owner"},
		BuildArgs: map[string]*string{},
	}
	images := map[string]string{}
	for line := range strings.Lines(options) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "engine":
			o.Engine = rewrite.ParseEngineVersion(value)
		case "target":
			o.Target = value
		case "arg":
			name, v, _ := strings.Cut(value, "=")
			o.BuildArgs[name] = &v
		case "image":
			ref, answer, _ := strings.Cut(value, " ")
			images[ref] = answer
		}
	}
	var refs strings.Builder
	o.Image = func(r ImageRef) (Image, error) {
		verb := "copy"
		if r.From {
			verb = "from"
		}
		fmt.Fprintf(&refs, "%d %s %s %s\n", r.Line, verb, r.Ref, r.Platform)
		return Image{ID: images[r.Ref]}, nil
	}
	s, err := Rewrite("Dockerfile", []byte(in), o)
	if err != nil {
		if _, ok := errors.AsType[*rewrite.Refusal](err); !ok {
			t.Errorf("%v is not a Refusal", err)
		}
		return map[string]string{"error": err.Error() + "\n"}
	}
	checkLines(t, in, s)
	result := map[string]string{"out": goldenText(string(s.Text))}
	if refs.Len() > 0 {
		result["refs"] = strings.ReplaceAll(refs.String(), " \n", "\n")
	}
	return result
}

// checkLines compares every line of the result with the line of the source that
// it is said to come from.
func checkLines(t *testing.T, in string, s *Scanned) {
	t.Helper()
	source := strings.Split(in, "\n")
	inserted := map[int]bool{}
	for _, n := range s.Inserted {
		inserted[n] = true
	}
	for i, line := range strings.Split(string(s.Text), "\n") {
		n := s.SourceLine(i + 1)
		switch {
		case inserted[i+1]:
			if !strings.HasPrefix(line, "LABEL 'owner'='me'") {
				t.Errorf("line %d is said to be inserted: %q", i+1, line)
			}
			if n != s.SourceLine(i) {
				t.Errorf("inserted line %d is said to come from line %d, its FROM from line %d", i+1, n, s.SourceLine(i))
			}
		case inserted[i+2]: // a FROM, possibly on one line now
		case n > len(source) && line == "":
		case n > 0 && n <= len(source) && strings.Contains(line, "COPY") && strings.Contains(source[n-1], "COPY"): // possibly with an ID
		case n < 1 || n > len(source) || source[n-1] != line:
			t.Errorf("line %d %q is said to come from line %s", i+1, line, strconv.Itoa(n))
		}
	}
}
