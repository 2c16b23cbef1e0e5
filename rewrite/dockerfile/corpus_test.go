package dockerfile

import (
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sockguard/rewrite"
)

// BuildKit's own test files for its parser are read as BuildKit reads them.
func TestCorpus(t *testing.T) {
	dir, err := newest(t).command("list", "-m", "-f", "{{.Dir}}", "github.com/moby/buildkit").Output()
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
		accepted += checkOracles(t, string(text), Options{})
		// Most of the corpus has no FROM.
		accepted += checkOracles(t, "FROM a\n"+string(text), Options{})
		return nil
	})
	if err != nil || files < 30 || accepted < 20 {
		t.Fatalf("%d files, %d accepted, %v", files, accepted, err)
	}
}

var (
	budget = flag.Duration("oracles", 20*time.Second, "how long to generate Dockerfiles")
	seed   = flag.Uint64("seed", 0, "of the generated Dockerfiles; 0 takes the time")
)

// newGenerator returns a generator, and the time to stop: after a part of the
// budget.
func newGenerator(t *testing.T, part time.Duration) (generator, time.Time) {
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", n)
	if testing.Short() {
		part *= 10
	}
	return generator{rand.New(rand.NewPCG(n, 0))}, time.Now().Add(*budget / part)
}

// Generated Dockerfiles are read as engines read them, for the time of -oracles.
func TestGenerated(t *testing.T) {
	all := oracles(t)
	x := "b"
	options := []Options{{}, {Target: "C", BuildArgs: map[string]*string{"X": &x}}, {Target: "B"}}
	g, end := newGenerator(t, 1)
	files, lines, accepted := 0, 0, 0
	for ; time.Now().Before(end) && !t.Failed(); files++ {
		in := g.file(1 + g.IntN(4))
		lines += strings.Count(in, "\n")
		accepted += checkOracles(t, in, options[files%3])
	}
	t.Logf("%d files of %d lines, each for %d engines; %d%% of the readings accepted",
		files, lines, len(all), 100*accepted/max(1, files*(len(all)+1)))
	if files > 100 && accepted < files {
		t.Errorf("hardly a file is accepted")
	}
}

func FuzzDockerfile(f *testing.F) {
	g := generator{rand.New(rand.NewPCG(3, 4))}
	for range 100 {
		f.Add(g.file(3), "")
	}
	f.Add("FROM a AS x\nONBUILD COPY --from=q a b\nFROM x AS y\nFROM z", "y")
	f.Fuzz(func(t *testing.T, in, target string) {
		checkOracles(t, in, Options{Target: target})
		checkRemoval(t, in)
	})
}

// checkRemoval checks that removing the inserted lines gives back the source,
// unless a FROM had several lines.
func checkRemoval(t *testing.T, in string) {
	o := Options{Engine: rewrite.EngineVersion{Major: 29}, Labels: []rewrite.Label{{Key: "k", Value: "it's"}}}
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
