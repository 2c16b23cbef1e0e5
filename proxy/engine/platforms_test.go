package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// indexEngine is an engine with the containerd image store and one image, whose
// platforms have these owners. A platform that begins with "-" is not there.
func indexEngine(t *testing.T, platforms ...string) *Client {
	const key = verdict.DefaultLabelKey
	var manifests []string
	configs := map[string]string{}
	for _, p := range platforms {
		arch, owner, _ := strings.Cut(p, "=")
		arch, absent := strings.CutPrefix(arch, "-")
		manifests = append(manifests, fmt.Sprintf(`{"Available":%v,"Kind":"image","ImageData":{"Platform":{"os":"linux","architecture":%q}}}`, !absent, arch))
		labels := "{}"
		if owner != "" {
			labels = fmt.Sprintf(`{%q:%q}`, key, owner)
		}
		if !absent {
			configs[arch] = fmt.Sprintf(`"Os":"linux","Architecture":%q,"Config":{"Labels":%s,"Volumes":{"/%s":{}}},`, arch, labels, arch)
		}
	}
	manifests = append(manifests, `{"Available":true,"Kind":"attestation"}`)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arch := "amd64"
		if asked := r.URL.Query().Get("platform"); asked != "" {
			var p struct{ Architecture string }
			json.Unmarshal([]byte(asked), &p)
			arch = p.Architecture
			if configs[arch] == "" {
				w.WriteHeader(http.StatusNotFound)
			}
		}
		switch {
		case r.URL.Path == "/version":
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51","Os":"linux","Arch":"amd64"}`)
		case r.URL.Path == "/info":
			io.WriteString(w, `{"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}`)
		default:
			fmt.Fprintf(w, `{"Id":"sha256:%s",%s"Manifests":[%s]}`, strings.Repeat("1", idSize), configs[arch], strings.Join(manifests, ","))
		}
	}))
	t.Cleanup(s.Close)
	return NewClient(func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", s.Listener.Addr().String())
	})
}

// An image is an owner's only if no platform of it is another's.
func TestLabelsOfAllPlatforms(t *testing.T) {
	for _, tt := range []struct {
		platforms string
		want      string // "missing" or the owner
	}{
		{"amd64=me", "me"},
		{"amd64", ""},
		{"amd64=me arm64=me", "me"},
		{"amd64=me arm64", "me"},
		{"amd64 arm64=them", "them"},
		{"amd64 -arm64=them", ""},
		{"arm64=them", "them"},
		{"amd64=me arm64=them", "me\x00them"},
		{"amd64=me arm64=me arm64=them", "missing"},
		{"-arm64=them", "missing"},
	} {
		c := indexEngine(t, strings.Fields(tt.platforms)...)
		for _, ref := range []string{"x", "sha256:" + strings.Repeat("1", idSize)} { // the second is cached
			o, err := c.Inspect(t.Context(), verdict.Image, ref)
			got := o.Labels[verdict.DefaultLabelKey]
			if errors.Is(err, verdict.ErrNotFound) {
				got, err = "missing", nil
			}
			if err != nil || got != tt.want {
				t.Errorf("%s: got %q, %v, want %q", tt.platforms, got, err, tt.want)
			}
		}
	}
}

// A base has the volumes of the platform that is asked for, and the ID of the image.
func TestBaseOfPlatform(t *testing.T) {
	c := indexEngine(t, "amd64=me", "arm64")
	for platform, want := range map[string]string{"": "/amd64", "linux/arm64": "/arm64", "arm64": "/arm64", "linux/riscv64": ""} {
		o, err := c.Base(t.Context(), "x", platform)
		if want == "" {
			if !errors.Is(err, verdict.ErrNotFound) {
				t.Errorf("%s: got %v", platform, err)
			}
			continue
		}
		if err != nil || len(o.Volumes) != 1 || o.Volumes[0] != want || o.Labels[verdict.DefaultLabelKey] != "me" || !strings.HasPrefix(o.ID, "sha256:11") {
			t.Errorf("%s: got %+v, %v", platform, o, err)
		}
	}
}
