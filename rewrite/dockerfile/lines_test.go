package dockerfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"sockguard/rewrite"
	"sockguard/rewrite/internal/tartest"
)

// The parser's buffer holds 65536 bytes, line end included. Joined lines may be
// longer, but not a FROM that is put on one line.
func TestLineLimit(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name, in string
		line     int // refused; 0 is not
	}{
		{"fits", "FROM a\nRUN " + x(65531) + "\n", 0},
		{"too long", "FROM a\nRUN " + x(65532) + "\n", 2},
		{"fits without a line end", "FROM a\nRUN " + x(65531), 0},
		{"too long without a line end", "FROM a\nRUN " + x(65532), 2},
		{"too long comment", "FROM a\n# " + x(65534) + "\n", 2},
		{"joined", "FROM a\nRUN " + x(65000) + "\\\n" + x(65000) + "\n", 0},
		{"too long continuation", "FROM a\nRUN x \\\n" + x(65536) + "\n", 3},
		{"too long here-document", "FROM a\nRUN <<E\n" + x(65536) + "\nE\n", 2},
		{"joined FROM", "FROM a" + strings.Repeat(" \\\n", 10) + x(20) + "\n", 1},
		{"joined FROM does not fit", "FROM " + x(40000) + "\\\n" + x(40000) + "\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var err error
			grown := tartest.HeapGrowth(func() {
				_, err = Rewrite("Dockerfile", []byte(tt.in), Options{Engine: rewrite.EngineVersion{Major: 29}, Labels: []rewrite.Label{{Key: "owner", Value: "me"}}})
			})
			t.Logf("the heap grew by %d KiB", grown>>10)
			if grown > 24<<20 {
				t.Errorf("a file of %d KiB made the heap grow by %d KiB", len(tt.in)>>10, grown>>10)
			}
			line := 0
			if r, ok := errors.AsType[*rewrite.Refusal](err); ok {
				line = r.Line
			}
			if line != tt.line {
				t.Errorf("got line %d (%v), want %d", line, err, tt.line)
			}
		})
	}
}

// Files of up to a mebibyte do not take unbounded time or memory.
func TestLimits(t *testing.T) {
	many := strings.Repeat
	for _, tt := range []struct{ name, in, want string }{
		{"nested FROM", "FROM " + many("${a:-", 10000) + many("}", 10000) + "\n", "nested too deeply"},
		{"nested RUN", "FROM a\nRUN <<EOF " + many("${a:-", 10000) + many("}", 10000) + "\nEOF\n", "disagree"},
		{"doubled ARG", "ARG a=x\n" + many("ARG a=$a$a\n", 100) + "FROM $a\n", "grow too long"},
		{"many ARG", "ARG a=" + many("x", 60000) + "\nARG " + many("b=$a ", 10000) + "\nFROM a\n", "more than 1024 KiB"},
		{"ARG names that expand", "ARG a=" + many("x", 50000) + "\n" + many("ARG ${a}b\n", 5000) + "FROM a\n", "more than 1024 KiB"},
		{"many short ARGs", many("ARG"+many(" a", 30000)+"\n", 16) + "FROM a\n", "more than 1024 KiB"},
		{"substitutions that are dropped", "ARG a=" + many("x", 50000) + "\n" + many("ARG b="+many("${c+$a}", 8000)+"\n", 15) + "FROM a\n", "more than 16 MiB"},
		{"long image", "FROM " + many("a", 5000) + "\n", "longer than any name"},
		{"many stages", many("FROM a\n", 1001), "more than 1000 stages"},
		{"many triggers", "FROM a AS x\n" + many("ONBUILD COPY --from=a b c\n", 20000) + many("FROM x\n", 900), "more than 1000 images"},
		{"many words", "FROM a\nRUN " + many("<<A${x:-y}z", 5000) + "\n", "disagree"},
		{"many here-documents", "FROM a\nRUN" + many(" <<A", 10000) + "\n" + many("A\n", 10000), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Rewrite("Dockerfile", []byte(tt.in), Options{Engine: rewrite.EngineVersion{Major: 29}, Labels: []rewrite.Label{{Key: "owner", Value: "me"}}})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestImageErrors(t *testing.T) {
	const in = "# c\nFROM a\n"
	cause := errors.New("no answer")
	ask := func(image string, err error) error {
		_, err = Rewrite("sub/Dockerfile", []byte(in), Options{
			Engine: rewrite.EngineVersion{Major: 29},
			Image:  func(ImageRef) (Image, error) { return Image{ID: image}, err },
		})
		return err
	}
	err := ask("", &rewrite.Refusal{Reason: "not yours"})
	if r, ok := errors.AsType[*rewrite.Refusal](err); !ok || *r != (rewrite.Refusal{File: "sub/Dockerfile", Line: 2, Reason: "not yours"}) {
		t.Errorf("got %v", err)
	}
	if err := ask("", cause); !errors.Is(err, cause) {
		t.Errorf("got %v, want %v", err, cause)
	}
	for _, image := range []string{"stage", "a b:1", "a:$X", "a:1\n", "é:1", "--x=a:1"} {
		if err := ask(image, nil); err == nil {
			t.Errorf("the image %q was accepted", image)
		}
	}
}

func TestUntouched(t *testing.T) {
	in := []byte("FROM \\\n a\nFROM b<NOEOL>")
	s, err := Rewrite("Dockerfile", in, Options{})
	if err != nil || !bytes.Equal(s.Text, in) || len(s.Inserted) != 0 || s.SourceLine(3) != 3 {
		t.Errorf("without labels: %q %v", s.Text, err)
	}
}

func BenchmarkDockerfile(b *testing.B) {
	stage := "FROM golang:1.26 AS s%\n" + strings.Repeat(
		"# A comment on what follows.\n\nRUN apt-get update && \\\n    apt-get install -y --no-install-recommends curl git \\\n    && rm -rf /var/lib/apt/lists/*\n"+
			"COPY --chown=1:1 . /src\nENV A=b\nLABEL org.opencontainers.image.title=x\n", 50)
	var text []byte
	for i := range 20 {
		text = append(text, strings.ReplaceAll(stage, "%", strings.Repeat("x", i))...)
	}
	for _, engine := range []rewrite.EngineVersion{{Major: 28, Minor: 5}, {}} {
		name := "known"
		if !engine.Known() {
			name = "unknown"
		}
		b.Run(name, func(b *testing.B) {
			o := Options{Engine: engine, Labels: []rewrite.Label{{Key: "owner", Value: "me"}}, Guarded: []string{"owner"}}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Rewrite("Dockerfile", text, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
