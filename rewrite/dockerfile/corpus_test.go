package dockerfile

import (
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sockguard/rewrite"
)

// TestDockerfileCorpus reads the Dockerfiles that BuildKit tests its parser with.
func TestDockerfileCorpus(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/moby/buildkit").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(dir)), "frontend", "dockerfile", "parser")
	files, accepted := 0, 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(d.Name(), "Dockerfile") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		if checkOracle(t, string(text), Options{}) {
			accepted++
		}
		// Most of the corpus has no FROM.
		if checkOracle(t, "FROM a\n"+string(text), Options{}) {
			accepted++
		}
		return nil
	})
	if err != nil || files < 30 || accepted < 20 {
		t.Fatalf("%d files, %d accepted, %v", files, accepted, err)
	}
}

// Pieces of generated files: lines, and scraps that get into them.
var (
	nastyLines = strings.Split(strings.TrimSpace(`
FROM a
FROM a AS b
FROM b AS c
from b
FROM B as d
FROM scratch
FROM ${X:-a}
FROM a$X${X-y}${X:+z}
FROM --platform=$P a
FROM --platform=linux/amd64 a:${X%2*} AS e
RUN x
RUN <<EOF
RUN <<EOF<LF>FROM q<LF>EOF
RUN cat <<-"E F" 3<<EOF<LF>FROM q \\<LF>	E F<LF># escape<LF>EOF
RUN << EOF
RUN << EOF<LF>LABEL owner=q<LF>EOF
EOF
RUN ["<<EOF"]
RUN it's <<EOF
RUN echo $((1<<2))
RUN echo $((1 << 2))
RUN cat <<E${X:-y}
RUN ${X:-a <<EOF}
LABEL a=b
LABEL owner=evil
LABEL ow"n"er=evil a='b c'
LABEL o${X}=x
LABEL a=b\ owner=c
LABEL x.$X=y
LABEL a owner=evil
LABEL "a b"="c" d=e
ONBUILD RUN <<EOF<LF>LABEL owner=q<LF>EOF
ONBUILD COPY --from=q x y
ONBUILD COPY --from=b x y
ONBUILD LABEL b=x
ONBUILD LABEL ow`+"`"+`ner=x
COPY --from=b x y
COPY --from=0 x y
COPY --fr"o"m=img:1 x y
COPY --from=$X x y
COPY --chown=a --from='q' ["x", "y"]
COPY <<EOF /x<LF>FROM q<LF>EOF
ADD http://x/y z
ENV owner=x
CMD ["x"]
# comment`), "\n")
	scraps = strings.Fields("\\ ` \" ' $ = << <<EOF -- # , owner AS <BOM> <NBSP> <CR> <VT> <FF> <EMSP> <SP> <TAB> <LF> <LONGS> <DOTI>")
	heads  = strings.Split("|# escape=`\n|# escape=\\\n|# check=x\n# escape=`\n|#syntax=x\n|ARG X=1\n|ARG P X=${Y:-\"b\"} Y='$X'\n|ARG X=$X`\n", "|")
)

// generate returns a file of about n lines, about as many as it has scraps.
func generate(r *rand.Rand, n int) string {
	bytesOf := strings.NewReplacer(append(goldenPairs, "<TAB>", "\t", "<SP>", " ", "<LF>", "\n")...)
	var b strings.Builder
	b.WriteString(heads[r.IntN(len(heads))])
	b.WriteString("FROM a AS b\n")
	for range n {
		line := bytesOf.Replace(nastyLines[r.IntN(len(nastyLines))])
		if r.IntN(4) == 0 {
			i := r.IntN(len(line) + 1)
			line = line[:i] + bytesOf.Replace(scraps[r.IntN(len(scraps))]) + line[i:]
		}
		if r.IntN(4) == 0 {
			i := r.IntN(len(line) + 1)
			line = line[:i] + "`\\"[r.IntN(2):][:1] + "\n" + line[i:]
		}
		b.WriteString(line)
		b.WriteString([]string{"\n", "\n", "\n", "\r\n", "\\\n", " \n"}[r.IntN(6)])
	}
	return b.String()
}

var generated = flag.Int("generated", 3000, "how many Dockerfiles to generate")

func TestDockerfileGenerated(t *testing.T) {
	x := "b"
	accepted := 0
	for _, o := range []Options{{}, {Target: "C", BuildArgs: map[string]*string{"X": &x}}, {Target: "B"}} {
		r := rand.New(rand.NewPCG(1, 2))
		for range *generated {
			if checkOracle(t, generate(r, 1+r.IntN(8)), o) {
				accepted++
			}
			if t.Failed() {
				return
			}
		}
	}
	if accepted < *generated/10 {
		t.Errorf("only %d files accepted", accepted)
	}
}

func FuzzDockerfile(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		f.Add(generate(r, 3), "")
	}
	f.Add("FROM a AS x\nONBUILD COPY --from=q a b\nFROM x AS y\nFROM z", "y")
	f.Fuzz(func(t *testing.T, in, target string) {
		checkOracle(t, in, Options{Target: target})
		checkRemoval(t, in)
	})
}

// checkRemoval removes the inserted lines: the source comes back, unless a FROM
// had several lines.
func checkRemoval(t *testing.T, in string) {
	o := Options{Engine: oracleEngine, Labels: []rewrite.Label{{Key: "k", Value: "it's"}}}
	s, err := Rewrite("Dockerfile", []byte(in), o)
	if err != nil {
		return
	}
	lines := strings.SplitAfter(string(s.Text), "\n")
	for i := len(s.Inserted) - 1; i >= 0; i-- {
		n := s.Inserted[i] - 1
		if lines[n] != "LABEL 'k'='it'\"'\"'s'\n" {
			t.Errorf("line %d is said to be inserted: %q", n+1, lines[n])
		}
		lines = append(lines[:n], lines[n+1:]...)
	}
	got := strings.Join(lines, "")
	if !strings.HasSuffix(in, "\n") {
		got = strings.TrimSuffix(got, "\n")
		in = strings.TrimSuffix(in, "\n")
	}
	if got != in && strings.Count(got, "\n") == strings.Count(in, "\n") && !strings.Contains(in, "\\") && !strings.Contains(in, "`") {
		t.Errorf("without the labels %q, want %q", got, in)
	}
}
