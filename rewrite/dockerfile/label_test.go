package dockerfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/rewrite"
)

// TestLabelLine reads the LABEL line with the engine's parser and lexer: every
// value arrives literally, whatever the escape directive says.
func TestLabelLine(t *testing.T) {
	labels := []rewrite.Label{
		{Key: "plain", Value: "me"},
		{Key: "empty", Value: ""},
		{Key: "shell", Value: `a "b" $X ${X:-y} \ ` + "`" + ` \n #x <<EOF é =--z\`},
		{Key: "quotes", Value: `it's 'all' '`},
		{Key: "bom", Value: "\ufeffx\u00a0y\u2028"},
		{Key: "tail", Value: "x`"},
	}
	line, err := labelLine(labels)
	if err != nil {
		t.Fatal(err)
	}
	want := make([][2]string, len(labels))
	for i, l := range labels {
		want[i] = [2]string{l.Key, l.Value}
	}
	for _, head := range []string{"", "# escape=`\n"} {
		for _, o := range oracles(t) {
			v := o.read(t, []byte(head+"FROM a\n"+string(line)+"RUN x\n"), Options{})
			if v.Err != "" || len(v.Nodes) != 3 {
				t.Fatalf("%s: %+v", o.mod, v)
			}
			if diff := cmp.Diff(want, v.Nodes[1].Labels); diff != "" {
				t.Errorf("%s, head %q (-want +got)\n%s", o.mod, head, diff)
			}
		}
	}
	if _, err := labelLine([]rewrite.Label{{Key: "a", Value: strings.Repeat("x", maxLine)}}); err == nil {
		t.Error("a LABEL that does not fit a line was written")
	}
}

func FuzzLabelLine(f *testing.F) {
	f.Add("owner", "it's me")
	f.Fuzz(func(t *testing.T, key, value string) {
		line, err := labelLine([]rewrite.Label{{Key: key, Value: value}})
		if err != nil {
			return
		}
		for _, head := range []string{"", "# escape=`\n"} {
			v := newest(t).read(t, []byte(head+"FROM a\n"+string(line)), Options{})
			if v.Err != "" || len(v.Nodes) != 2 || len(v.Nodes[1].Labels) != 1 || v.Nodes[1].Labels[0] != [2]string{key, value} {
				t.Fatalf("%q reads as %+v", line, v)
			}
		}
	})
}
