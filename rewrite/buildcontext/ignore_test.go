package buildcontext

import (
	"strings"
	"testing"
	"time"
)

// Patterns that would take minutes are refused. The largest that are allowed take
// about a tenth of a second.
func TestPatternLimits(t *testing.T) {
	many := strings.Repeat
	deep := many("aaaaaaaaaaaaaa/", 254) + "b"
	for _, tt := range []struct{ name, text, file, want string }{
		{"long pattern", "# c\na\n" + many("?", 32000) + "\n", "Dockerfile", ".dockerignore line 3: a pattern has 32000 bytes"},
		{"patterns of many parts", many(many("*/", 500)+"\n", 66), "Dockerfile", "line 66: the patterns have more than 64 KiB"},
		{"many patterns", many("a\n", 10001), "Dockerfile", "line 10001: the file has more than 10000 patterns"},
		{"long pattern behind a blank", " #" + many("?", 32000) + "\n", "Dockerfile", "line 1: a pattern has 32001 bytes"},
		{"slow with a deep name", many(many("**/*?", 200)+"\n", 64), deep, "takes too long"},
		{"slow with a long name", many(many("**/*?", 200)+"\n", 64), many("a", 4000), "takes too long"},
		{"one slow pattern and a deep name", many("**/*?", 200), deep, "takes too long"},

		{"comments", many("# comment\n", 50000), "Dockerfile", ""},
		{"largest patterns of questions", many(many("?", 1020)+"\n", 64), "Dockerfile", ""},
		{"largest patterns of stars", many(many("**/*?", 200)+"\n", 64), "Dockerfile", ""},
		{"largest patterns of classes", many(many("[!a-z]", 170)+"\n", 64), "Dockerfile", ""},
		{"most patterns", many("*a*?b\n", 10000), "Dockerfile", ""},
		{"patterns and a long name", many(many("**/*?", 200)+"\n", 4), many("a", 4000), ""},
		{"patterns and a deep name", many("**/*?", 6) + "/x\n", deep, ""},
		{"plain patterns and a deep name", many(many("a/", 500)+"\n", 65), deep, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			f, err := newIgnoreFile(&node{text: []byte(tt.text)})
			if err == nil {
				err = f.hide(tt.file, &node{})
			}
			took := time.Since(start)
			t.Log(took, err)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if took > 10*time.Second { // far more than it takes, far less than without bounds
				t.Errorf("a file of %d KiB took %v", len(tt.text)>>10, took)
			}
		})
	}
}
