package dockerfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/rewrite"
)

func TestTriggers(t *testing.T) {
	const file = "FROM a AS builder\nFROM base AS last\nRUN id\n"
	for _, tt := range []struct {
		name    string
		onbuild []string
		refs    string // asked for, the file's own left out
		want    string // part of the refusal
	}{
		{"nothing to see", []string{"RUN make", "COPY . /src", "ENV A=b", "LABEL x=y"}, "", ""},
		{"an image", []string{"COPY --from=other:1 /a /b"}, "other:1", ""},
		{"a stage by name or number", []string{"COPY --from=Builder /a /b", "COPY --from=0 /a /b"}, "", ""},
		{"its own stage is none yet", []string{"COPY --from=last /a /b"}, "last", ""},
		{"a here-document", []string{"RUN <<E\nLABEL owner=evil\nE"}, "", ""},
		{"the guarded label", []string{"RUN id", `LABEL ow"ner"=evil`}, "", "owner"},
		{"the guarded label in a second line", []string{"RUN id\nLABEL owner=evil"}, "", "owner"},
		{"a second stage", []string{"RUN id\nFROM b"}, "", "not one instruction"},
		{"an open here-document", []string{"RUN <<E\nFROM scratch"}, "", "has no end"},
		{"an open here-document ended by what follows", []string{"RUN <<'FROM b'"}, "", "has no end"},
		{"a directive", []string{"# escape=`\nLABEL ow`\nner=evil"}, "", "cannot hold"},
		{"a directive behind a line break", []string{"\n# escape=`\nLABEL ow`\nner=evil"}, "", "ONBUILD"},
		{"a byte order mark", []string{"\ufeffLABEL owner=evil"}, "", "cannot hold"},
		{"a continued line", []string{`RUN id \`}, "", "not one instruction"},
		{"more than is read", []string{strings.Repeat("RUN x\n", maxTriggers/6)}, "", "too many"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			_, err := Rewrite("Dockerfile", []byte(file), Options{
				Guarded: []string{"owner"}, Engine: rewrite.EngineVersion{Major: 29},
				Image: func(r ImageRef) (Image, error) {
					if r.Ref == "base" {
						return Image{OnBuild: tt.onbuild}, nil
					}
					if r.Ref != "a" {
						asked = append(asked, r.Ref)
						if r.From || r.Line != 2 {
							t.Errorf("%+v is asked for", r)
						}
					}
					return Image{}, nil
				},
			})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "Dockerfile line 2: base: ") {
				t.Errorf("got %v, want the line of the FROM", err)
			}
			if got := strings.Join(asked, " "); got != tt.refs {
				t.Errorf("asked for %q, want %q", got, tt.refs)
			}
		})
	}
}

// The images of triggers are replaced in what the FROM's image has to run.
func TestTriggersPinned(t *testing.T) {
	onbuild := []string{"RUN id", "COPY --chown=1 --from='other:1' /a /b", "  COPY --from=builder /a /b ", "COPY --from=other <<E /b\nx\nE", "COPY --fr\\om=x \\\n /a /b"}
	want := []string{"RUN id", "COPY --chown=1 --from=sha256:1 /a /b", "  COPY --from=builder /a /b ", "COPY --from=sha256:2 <<E /b\nx\nE", "COPY --from=sha256:3  /a /b"}
	var got []string
	asked := 0
	s, err := Rewrite("Dockerfile", []byte("FROM scratch AS builder\nFROM base\n"), Options{
		Engine: rewrite.EngineVersion{Major: 29},
		Image: func(r ImageRef) (Image, error) {
			if r.Ref != "base" {
				asked++
				return Image{ID: fmt.Sprint("sha256:", asked)}, nil
			}
			return Image{ID: "sha256:base", OnBuild: onbuild, Triggering: func(onbuild []string) (string, error) {
				got = onbuild
				return "sha256:twin", nil
			}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if want := "FROM scratch AS builder\nFROM sha256:twin\n"; string(s.Text) != want {
		t.Errorf("got %q, want %q", s.Text, want)
	}
}

// However many images the triggers of a base name, few of them are asked for.
func TestTriggersOfManyImages(t *testing.T) {
	asked := 0
	_, err := Rewrite("Dockerfile", []byte("FROM base\n"), Options{
		Engine: rewrite.EngineVersion{Major: 29},
		Image: func(r ImageRef) (Image, error) {
			if r.From {
				return Image{OnBuild: slices.Repeat([]string{"COPY --from=other /a /b"}, 50_000)}, nil
			}
			asked++
			return Image{}, nil
		},
	})
	if err == nil || !strings.Contains(err.Error(), "too many") || asked > maxRefs {
		t.Errorf("got %v; %d images were asked for", err, asked)
	}
}

// An image does not become a flag, whatever stands before it.
func TestImageAfterDashes(t *testing.T) {
	checkOracles(t, "FROM a AS b\nFROM --\xa0", Options{})
	checkOracles(t, "FROM a AS b\nCOPY --x\xa0--from=c\xa0d e\n", Options{})
}

func TestSteps(t *testing.T) {
	const file = "# c\nARG A=1\nARG B\nFROM \\\n  a AS x\nRUN id\nFROM b\nFROM x\nCOPY --from=d \\\n  / /\nRUN <<E\nFROM q\nE\nFROM c as after\n"
	for _, tt := range []struct {
		name string
		o    Options
		want []Step
	}{
		{"untouched", Options{}, nil},
		{"labels", Options{Labels: []rewrite.Label{{Key: "k", Value: "v"}}}, []Step{{Number: 4}, {Number: 7}, {Number: 9}, {Number: 13}}},
		{"labels up to a target", Options{Labels: []rewrite.Label{{Key: "k", Value: "v"}}, Target: "X"}, []Step{{Number: 4}}},
		{"images", Options{Image: pinned}, []Step{{3, "FROM   a AS x"}, {5, "FROM b"}, {7, "COPY --from=d   / /"}, {9, "FROM c as after"}}},
		{"both", Options{Image: pinned, Labels: []rewrite.Label{{Key: "k", Value: "v"}}}, []Step{
			{3, "FROM   a AS x"}, {Number: 4}, {6, "FROM b"}, {Number: 7}, {Number: 9}, {10, "COPY --from=d   / /"}, {12, "FROM c as after"}, {Number: 13},
		}},
	} {
		tt.o.Engine = rewrite.EngineVersion{Major: 29}
		s, err := Rewrite("Dockerfile", []byte(file), tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, s.Steps); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func pinned(ImageRef) (Image, error) { return Image{ID: "sha256:" + strings.Repeat("0", 64)}, nil }

// TestGeneratedTriggers reads generated ONBUILD triggers of a base image, which
// engines parse by themselves. None may set the key or hide an image.
func TestGeneratedTriggers(t *testing.T) {
	all := oracles(t)
	g, end := newGenerator(t, 4)
	triggers, accepted := 0, 0
	for ; time.Now().Before(end) && !t.Failed(); triggers++ {
		trigger := generatedBytes.Replace(g.of("", "", "", "", g.head(), g.of(oddBlanks...)) + g.of(g.hereDocument(), g.soup(), g.spoil(g.blanks(g.of(pieces...)))))
		for _, o := range all {
			asked, pinned, err := triggerImages(trigger, o.engine)
			if err != nil {
				continue
			}
			accepted++
			v := o.read(t, []byte(trigger), Options{})
			if len(v.Nodes) != 1 { // which the engine refuses
				continue
			}
			n := v.Nodes[0]
			if n.Owner || n.From != "" && n.From != "0" && !strings.EqualFold(n.From, "s") && !slices.Contains(asked, n.From) {
				t.Errorf("engine %v reads the trigger %q as %+v; asked for %q", o.engine, trigger, n, asked)
			}
			m := o.read(t, []byte(pinned), Options{}).Nodes
			if len(m) != 1 || m[0].Command != n.Command || m[0].From != n.From && m[0].From != anID || m[0].From == n.From && slices.Contains(asked, n.From) {
				t.Errorf("engine %v reads the trigger %q as %+v, and %q, in which images are replaced, as %+v", o.engine, trigger, n, pinned, m)
			}
		}
	}
	t.Logf("%d triggers, %d%% of the readings accepted", triggers, 100*accepted/max(1, triggers*len(all)))
}

var anID = "sha256:" + strings.Repeat("0", 64)

// triggerImages returns the images that are asked for because of a trigger, and the
// trigger with IDs in their place.
func triggerImages(trigger string, engine rewrite.EngineVersion) (asked []string, pinned string, err error) {
	_, err = Rewrite("Dockerfile", []byte("FROM b AS s\nFROM a\n"), Options{
		Guarded: []string{"owner"}, Engine: engine,
		Image: func(r ImageRef) (Image, error) {
			if r.From && r.Ref == "a" {
				return Image{OnBuild: []string{trigger}, Triggering: func(onbuild []string) (string, error) {
					pinned = onbuild[0]
					return anID, nil
				}}, nil
			}
			if !r.From {
				asked = append(asked, r.Ref)
			}
			return Image{ID: anID}, nil
		},
	})
	return asked, pinned, err
}
