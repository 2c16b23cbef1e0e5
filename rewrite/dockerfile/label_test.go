package dockerfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile/shellword"
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
	for _, head := range []string{"", "# escape=`\n"} {
		r, err := parser.Parse(strings.NewReader(head + "FROM a\n" + string(line) + "RUN x\n"))
		if err != nil || len(r.AST.Children) != 3 {
			t.Fatal(err, len(r.AST.Children))
		}
		cmd, err := instructions.ParseInstruction(r.AST.Children[1])
		if err != nil {
			t.Fatal(err)
		}
		var got []rewrite.Label
		for _, kv := range cmd.(*instructions.LabelCommand).Labels {
			key, _, errKey := shell.NewLex(r.EscapeToken).ProcessWord(kv.Key, owned{})
			value, _, errValue := shell.NewLex(r.EscapeToken).ProcessWord(kv.Value, owned{})
			if errKey != nil || errValue != nil {
				t.Fatal(errKey, errValue)
			}
			got = append(got, rewrite.Label{Key: key, Value: value})
		}
		if diff := cmp.Diff(labels, got); diff != "" {
			t.Errorf("head %q (-want +got)\n%s", head, diff)
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
		for _, escape := range []rune{'\\', '`'} {
			words := shellword.Words(strings.TrimPrefix(strings.TrimSuffix(string(line), "\n"), "LABEL "), escape)
			if len(words) != 1 {
				t.Fatalf("%q has %d words", line, len(words))
			}
			k, v, _ := strings.Cut(words[0], "=")
			k, _, errKey := shell.NewLex(escape).ProcessWord(k, owned{})
			v, _, errValue := shell.NewLex(escape).ProcessWord(v, owned{})
			if errKey != nil || errValue != nil || k != key || v != value {
				t.Fatalf("%q reads as %q %q", line, k, v)
			}
		}
	})
}
