package verdict

import "testing"

func TestPulledRestore(t *testing.T) {
	const digest = "sha256:0123"
	for _, tt := range []struct{ ref, asked, in, want string }{
		{"docker.io/library/x", ":1", `{"status":"Pulling from library/x","id":"x@sha256:0123"}`, `{"status":"Pulling from library/x","id":"1"}`},
		{"r:5000/x", ":1", `{"status":"Pulling from x","id":"r:5000/x@sha256:0123"}`, `{"status":"Pulling from x","id":"1"}`},
		{"r:5000/x", ":1", `{"status":"Digest: sha256:0123"}`, `{"status":"Digest: sha256:0123"}`},
		{"r:5000/x", ":1", `{"status":"Status: Image is up to date for r:5000/x@sha256:0123"}`, `{"status":"Status: Image is up to date for r:5000/x:1"}`},
		{"r:5000/x", "@sha256:0123", `{"status":"Pulling from x","id":"r:5000/x@sha256:0123"}`, `{"status":"Pulling from x","id":"r:5000/x@sha256:0123"}`},
		{"r:5000/x", "@sha256:9", `manifest for r:5000/x@sha256:0123 not found`, `manifest for r:5000/x@sha256:9 not found`},
		{"r:5000/x", ":1", `Head "https://r:5000/v2/x/manifests/sha256:0123": refused`, `Head "https://r:5000/v2/x/manifests/1": refused`},
	} {
		p := Pulled{Ref: tt.ref + "@" + digest, Digest: digest, Asked: tt.asked}
		if got := p.Restore(tt.in); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
