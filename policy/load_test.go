package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
)

// A loaded image gets the owner's label, and a name only if nobody else has it.
func TestLoadImages(t *testing.T) {
	in := inventory()
	in[verdict.Image]["mine:1"] = verdict.Object{ID: "sha256:" + hexID("4"), Labels: mine}
	d, err := decideOn(verdict.Policy{}, in, "POST", "/v1.41/images/load?quiet=1", "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]rewrite.Label{{Key: verdict.DefaultLabelKey, Value: "me"}}, d.Load.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	for _, tt := range []struct{ ref, want string }{
		{"new:1", ""},
		{"mine:1", ""},
		{"theirs:latest", "image name theirs:latest is taken"},
		{"busybox:latest", "image name busybox:latest is taken"},
	} {
		err := d.Load.Tag(tt.ref)
		denied, ok := errors.AsType[*verdict.Denied](err)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got %v", tt.ref, err)
		case tt.want != "" && (!ok || !strings.Contains(denied.Message, tt.want)):
			t.Errorf("%s: got %v, want a denial with %q", tt.ref, err, tt.want)
		}
	}
}
