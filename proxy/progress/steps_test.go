package progress

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
)

// messages are what an engine sends for texts, each of them one message.
func messages(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		b.WriteString(`{"stream":"` + quote(text) + "\"}\r\n")
	}
	return b.String()
}

// labelStep is what an engine sends for a step without a process.
func labelStep(n, text string) []string {
	return []string{
		"Step " + n + " : " + text, "\n", " ---> Running in 0123456789ab\n",
		" ---> Removed intermediate container 0123456789ab\n", " ---> ba9876543210\n",
	}
}

// sent puts texts and lists of texts together.
func sent(parts ...any) (all []string) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			all = append(all, p)
		case []string:
			all = append(all, p...)
		}
	}
	return all
}

const ownerStep = "LABEL 'owner'='me'"

// shown runs an engine's answer through the filter, for a Dockerfile of two
// stages, the second from an image by ID.
func shown(t *testing.T, in string, labelStep int, read func(io.Reader) io.Reader) string {
	t.Helper()
	s, err := dockerfile.Rewrite("Dockerfile", []byte("# one\nARG A\nFROM scratch AS a\nFROM \\\n base\nRUN id\n"), dockerfile.Options{
		Labels: []rewrite.Label{{Key: "owner", Value: "me"}}, Engine: rewrite.EngineVersion{Major: 28, Minor: 5},
		Image: func(dockerfile.ImageRef) (dockerfile.Image, error) {
			return dockerfile.Image{ID: "sha256:" + strings.Repeat("0", 64)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	scanned := make(chan *dockerfile.Scanned, 1)
	scanned <- s
	steps := Steps{Scanned: scanned, File: `sub/"D"`, LabelStep: labelStep}
	out, err := io.ReadAll(newStream(io.NopCloser(read(strings.NewReader(in))), steps.Show, nil))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBuildSteps(t *testing.T) {
	from := "FROM sha256:" + strings.Repeat("0", 64)
	head := sent("Step 1/8 : ARG A", "\n", "Step 2/8 : FROM scratch AS a", "\n", " ---> \n", labelStep("3/8", ownerStep),
		"Step 4/8 : "+from, "\n", " ---> 000000000000\n")
	shownHead := sent("Step 1/5 : ARG A", "\n", "Step 2/5 : FROM scratch AS a", "\n", " ---> \n",
		"Step 3/5 : FROM  base", "\n", " ---> 000000000000\n")
	cached := []string{"Step 5/8 : " + ownerStep, "\n", " ---> Using cache\n", " ---> 111111111111\n"}
	run := func(n string, output ...string) []string {
		return sent("Step "+n+" : RUN id", "\n", " ---> Running in 222222222222\n", output,
			" ---> Removed intermediate container 222222222222\n", " ---> 333333333333\n")
	}
	for _, tt := range []struct {
		name      string
		labelStep int
		in, want  []string
	}{
		{"as it was written", 2,
			sent(head, cached, run("6/8"), labelStep("7/8", "LABEL owner=me"), labelStep("8/8", "LABEL x=y"), "Successfully built 1\n"),
			sent(shownHead, run("4/5"), labelStep("5/5", "LABEL x=y"), "Successfully built 1\n")},
		{"asked for", 0, sent(head, cached), sent(head, cached)},
		{"warnings stay", 1,
			sent(head, "Step 5/8 : "+ownerStep, "\n", " ---> [Warning] w\n", " ---> Running in 0123456789ab\n", " ---> 111111111111\n", "x"),
			sent(shownHead, " ---> [Warning] w\n", "x")},
		{"Engine 20.10's removal", 1,
			sent(head, "Step 5/8 : "+ownerStep, "\n", "Removing intermediate container 0123456789ab\n", " ---> 111111111111\n"), shownHead},
		{"a step that fails", 1, sent(head, "Step 5/8 : "+ownerStep, "\n", "odd\n", "\n"), sent(shownHead, "odd\n", "\n")},
		{"output like a header, on a line", 1, run("6/8", "Step 5/8 : LABEL x\n", "\n"), run("4/5", "Step 5/8 : LABEL x\n", "\n")},
		{"a forged header hides nothing but what a LABEL sends", 1,
			run("6/8", "Step 3/8 : LABEL x", "secret\n", "\n"), run("4/5", "secret\n", "\n")},
		{"a forged header does not count", 1,
			sent(run("6/8", "Step 7/8 : x", "Step 2/8 : x"), labelStep("8/8", "LABEL owner=me"), "y"),
			sent(run("4/5", "Step 5/5 : x", "Step 2/5 : x"), "y")},
		{"a forged header is no LABEL", 1, run("6/8", "Step 3/8 : RUN x", "\n"), run("4/5", "Step 3/5 : RUN x", "\n")},
		{"odd numbers", 1, []string{"Step 9/8 : x", "Step 0/8 : x", "Step 1/8888888888 : x"}, []string{"Step 9/8 : x", "Step 0/5 : x", "Step 1/8888888888 : x"}},
		{"text of all kinds", 1, []string{"Step 6/8 : RUN <>& \\n \" \u2028 é\t"}, []string{"Step 4/5 : RUN <>& \\n \" \u2028 é\t"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, want := messages(tt.in...), messages(tt.want...)
			for name, read := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "by bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
			} {
				if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(shown(t, in, tt.labelStep, read), "\n")); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}
}

// Everything that is no header, no error and no part of a hidden step is the
// engine's, to the byte.
func TestBuildStepsPassOn(t *testing.T) {
	long := `{"stream":"Step 3/8 : LABEL ` + strings.Repeat("x", 3*maxMessage) + "\"}\r\n"
	for _, in := range []string{
		"", "\n", "no JSON", `{"stream":"sha256:0"}`, "{\"aux\":{\"ID\":\"sha256:0\"}}\r\n",
		`{"stream":"Step 1/8 : x`, `{ "stream":"Step 1/8 : x"}`, `{"stream":"Step 1/8 : \x"}` + "\n" + `{"stream":"\u"}`,
		long, long + long + "{\"stream\":\"\\n\"}\n", strings.Repeat("\n", 3*bufferSize),
		`{"errorDetail":{"message":"x \"message\":\"dockerfile parse error line 4"},"error":"no parse error line 4"}`,
	} {
		want := in
		if strings.Contains(in, `"Step 1/8 : \x"}`) {
			want = strings.Replace(in, "1/8", "1/5", 1)
		}
		if got := shown(t, in, 1, iotest.HalfReader); got != want {
			t.Errorf("%.80q became %.80q", in, got)
		}
	}
}

// failure is the last message of a build that fails.
func failure(text string) string {
	return `{"errorDetail":{"message":"` + quote(text) + `"},"error":"` + quote(text) + "\"}\r\n"
}

func TestBuildStepsErrors(t *testing.T) {
	for in, want := range map[string]string{
		"dockerfile parse error line 7: unknown":                                          "dockerfile parse error line 6: unknown",
		"dockerfile parse error on line 5: FROM":                                          "dockerfile parse error on line 4: FROM",
		"Dockerfile parse error line 3: x":                                                "Dockerfile parse error line 3: x",
		"failed to parse .sockguard.Dockerfile: x":                                        `failed to parse sub/"D": x`,
		"The command 'echo dockerfile parse error line 8' returned a non-zero code: 1":    "The command 'echo dockerfile parse error line 8' returned a non-zero code: 1",
		"failed to parse .sockguard.Dockerfile: dockerfile parse error on line 7: .parse": `failed to parse sub/"D": dockerfile parse error on line 6: .parse`,
	} {
		if got := shown(t, failure(in), 1, iotest.OneByteReader); got != failure(want) {
			t.Errorf("%q became %s", in, got)
		}
		text, err := json.Marshal(map[string]string{"message": in})
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(t, string(text), 0, iotest.OneByteReader); got != `{"message":"`+quote(want)+`"}` {
			t.Errorf("%q became %s", in, got)
		}
	}
}
