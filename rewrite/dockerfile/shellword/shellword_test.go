package shellword

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// newest is the Dialect of the BuildKit that the tests import.
var newest = Dialect{Glued: true, Bare: true, Patterns: true}

// env is a shell.EnvGetter.
type env map[string]string

func (e env) Get(name string) (string, bool) { v, ok := e[name]; return v, ok }
func (e env) Keys() []string                 { return nil }

var vars = env{"a": "A", "empty": "", "long": "x y"}

var words = []string{
	"", "plain", "$a", "${a}b", "$a$none.", "'$a'", `"$a"`, `\$a`, `"\$a\b"`, `it's`, `'a'"b"\c`, "\ufeff$a", "$", "${", "${}", "${a", "$1", "${@}",
	"${a-x}", "${none-x}", "${empty-x}", "${empty:-x}", "${none:-$a}", "${none:-${none:-'}'}}", "${a+x}", "${empty+x}", "${empty:+x}", "${a:+'x y'}",
	"${a?no}", "${none?no}", "${empty:?no}", "${a=x}", "${a:=x}", "${a!}", "$long", "\"$long\"", "a b", "${none:-a b}", "\xff", "${none:-a\\}b}",
}

// Words are expanded as BuildKit expands them. Patterns are refused.
func checkExpand(t *testing.T, word string, escape rune) {
	t.Helper()
	got, err := newest.Expand(word, escape, vars.Get)
	want, _, wantErr := shell.NewLex(escape).ProcessWord(word, vars)
	switch {
	case err != nil && (wantErr != nil || errors.Is(err, errSubstitution) || errors.Is(err, errTooMuch)):
	case err != nil || wantErr != nil || got != want:
		t.Errorf("%q: got %q and error %v; BuildKit says %q, %v", word, got, err, want, wantErr)
	}
	// A word without variables means the same whatever they are.
	if text, err := newest.Expand(word, escape, nil); err == nil && text != want {
		t.Errorf("%q: unquoted to %q; BuildKit says %q", word, text, want)
	}
}

func TestExpand(t *testing.T) {
	for _, word := range words {
		checkExpand(t, word, '\\')
		checkExpand(t, word, '`')
	}
	for _, word := range []string{"${a#x}", "${a%x}", "${a/x/y}", "${a:#x}", "${a=x}"} {
		if got, err := newest.Expand(word, '\\', vars.Get); err != errSubstitution {
			t.Errorf("%s: got %q and error %v, want %v", word, got, err, errSubstitution)
		}
	}
	if got, err := (Dialect{}).Expand("${a-x}", '\\', vars.Get); err == nil {
		t.Errorf("an engine that does not know ${a-x} gets %q", got)
	}
}

func FuzzExpand(f *testing.F) {
	for _, word := range words {
		f.Add(word, false)
		f.Add(word, true)
	}
	f.Fuzz(func(t *testing.T, word string, backtick bool) {
		escape := '\\'
		if backtick {
			escape = '`'
		}
		checkExpand(t, word, escape)
	})
}

// With a nil env Expand stops at a variable and keeps what stands before it.
func TestExpandLiteral(t *testing.T) {
	text, err := newest.Expand(`ow"n"er$x`, '\\', nil)
	if text != "owner" || err != ErrVariable {
		t.Errorf("got %q and error %v, want owner and %v", text, err, ErrVariable)
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		in   string
		raw  bool
		want []string
	}{
		{in: " a\u2003b ", want: []string{"a", "b"}},
		{in: `a' b'"c d"\ e`, want: []string{"a bc d e"}},
		{in: `a' b'"c d"\ e`, raw: true, want: []string{`a' b'"c d"\ e`}},
		{in: "cat << EOF $x", want: []string{"cat", "<< EOF", "$x"}},
		{in: "${x%.*} ${x//a/b} ${x:-y}", want: []string{"${x%.*}", "${x/a/b}", "${x-y}"}},
	} {
		got, err := newest.Split(tt.in, tt.raw)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%q: error %v (-want +got)\n%s", tt.in, err, diff)
		}
	}
	if got, err := newest.Split("<<A${x:-y}", true); err != ErrDisagree {
		t.Errorf("got %q and error %v, want %v", got, err, ErrDisagree)
	}
}

func TestWords(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`a=b "c d"=e`, `a=b|"c d"=e`},
		{`a=\ b c\`, `a=\ b|c`},
		{`'a\' b`, `'a\'|b`},
		{"a\u00a0b", "a|b"},
		{`"a b`, `"a b`},
	} {
		if got := strings.Join(Words(tt.in, '\\'), "|"); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		in    string
		flags []string
		rest  string
	}{
		{"a --b ", nil, "a --b"},
		{`--from="x y" --chown=1\ 2 a b`, []string{"--from=x y", "--chown=1 2"}, "a b"},
		{"--a -- --b", []string{"--a"}, "--b"},
		{"--a=\xe9 b", []string{"--a=é"}, "b"},
	} {
		found, rest := Flags(tt.in, '\\')
		var flags []string
		for _, f := range found {
			flags = append(flags, f.Text)
			if again, _ := Flags(tt.in[f.Start:f.End], '\\'); len(again) != 1 || again[0].Text != f.Text {
				t.Errorf("%q: the flag %q is said to stand in %q", tt.in, f.Text, tt.in[f.Start:f.End])
			}
		}
		if !slices.Equal(flags, tt.flags) || rest != tt.rest {
			t.Errorf("%q: got %q and %q, want %q and %q", tt.in, flags, rest, tt.flags, tt.rest)
		}
	}
	for _, tt := range []struct {
		flags []string
		value string
		ok    bool
	}{
		{nil, "", true},
		{[]string{"--from=a", "--link"}, "a", true},
		{[]string{"--from=a", "--from=a"}, "", false},
		{[]string{"--from"}, "", false},
	} {
		flags, _ := Flags(strings.Join(tt.flags, " "), '\\')
		if _, value, ok := FlagValue(flags, "from"); value != tt.value || ok != tt.ok {
			t.Errorf("%q: got %q, %v, want %q, %v", tt.flags, value, ok, tt.value, tt.ok)
		}
	}
}
