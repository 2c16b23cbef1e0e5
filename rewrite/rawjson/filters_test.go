package rawjson

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilters(t *testing.T) {
	for _, tt := range []struct{ in, out string }{
		{"", `{}`},
		{"null", `{}`},
		{`{"label":[]}`, `{"label":[]}`},
		{`{"status":["exited"],"label":["b","a=\"1\""]}`, `{"label":["b","a=\"1\""],"status":["exited"]}`},
		{`{"label":{"b":true,"a":true}}`, `{"label":["a","b"]}`},
		{`{"name":["\u00e9\n\u2028\\"]}`, `{"name":["é\n\u2028\\"]}`},
	} {
		f, err := ParseFilters(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		got := f.Encode()
		again, err := ParseFilters(got)
		if diff := cmp.Diff(f, again); diff != "" || err != nil {
			t.Errorf("%s becomes %s, which is read as something else: %v %s", tt.in, got, err, diff)
		}
		if want, err := ParseFilters(tt.out); err != nil || want.Encode() != got {
			t.Errorf("%s becomes %s, want %s (%v)", tt.in, got, tt.out, err)
		}
	}
	for _, bad := range []string{`[]`, `{"label":{"a":false}}`, `{"label":"a"}`, `{"label":["a"]}x`, `{"label":["a"],"label":["b"]}`, "{\"a\":[\"\xff\"]}"} {
		if f, err := ParseFilters(bad); err == nil {
			t.Errorf("%s is read as %v", bad, f)
		}
	}
}
