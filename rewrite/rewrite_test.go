package rewrite

import (
	"strings"
	"testing"
)

func TestLabelCheck(t *testing.T) {
	for _, tt := range []struct {
		label Label
		ok    bool
	}{
		{Label{"org.example/a-b_c", ""}, true},
		{Label{"owner", "é \U0001F600 \u00a0 ' \" $X ` \\"}, true},
		{Label{"", "x"}, false},
		{Label{"a=b", "x"}, false},
		{Label{"a'b", "x"}, false},
		{Label{"a b", "x"}, false},
		{Label{"é", "x"}, false},
		{Label{"a", "x\ny"}, false},
		{Label{"a", "x\ry"}, false},
		{Label{"a", "x\x00"}, false},
		{Label{"a", "x\u0085"}, false},
		{Label{"a", "x\xff"}, false},
		{Label{"a", strings.Repeat("x", 1<<16)}, true},
	} {
		if err := tt.label.Check(); (err == nil) != tt.ok {
			t.Errorf("%.40q: got %v, want ok %v", tt.label, err, tt.ok)
		}
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"short", "short"},
		{strings.Repeat("x", maxText), strings.Repeat("x", maxText)},
		{strings.Repeat("x", maxText-1) + "é", strings.Repeat("x", maxText-1) + "..."},
		{strings.Repeat("x", 1<<20), strings.Repeat("x", maxText) + "..."},
	} {
		if got := Clip(tt.in); got != tt.want {
			t.Errorf("got %d bytes, want %d", len(got), len(tt.want))
		}
	}
}
