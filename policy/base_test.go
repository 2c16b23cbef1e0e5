package policy

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
	"sockguard/rewrite/buildcontext"
)

// remote is the kind of the images in a registry.
const remote verdict.Kind = "remote"

func (o objects) Base(ctx context.Context, ref, _ string) (verdict.Object, error) {
	return o.Inspect(ctx, verdict.Image, ref)
}

// Manifest returns a digest that is a hash of the name. It tells nothing of private images.
func (o objects) Manifest(_ context.Context, ref string) (verdict.Manifest, error) {
	sum := sha256.Sum256([]byte(ref))
	return verdict.Manifest{Digest: "sha256:" + hex.EncodeToString(sum[:]), Untold: strings.Contains(ref, "private"), Platform: "linux/amd64"}, nil
}

func (o objects) Pull(_ context.Context, p *verdict.Pulled, platform string) error {
	repository, _, _ := strings.Cut(p.Ref, "@")
	short := strings.TrimPrefix(repository, "docker.io/library/")
	image, ok := o[remote][strings.TrimSpace(short+" "+platform)]
	if !ok {
		return errors.New("pull access denied for " + short)
	}
	o[verdict.Image][p.Ref] = image
	return nil
}

func (o objects) Name(_ context.Context, ref string, image verdict.Object, may func(string, verdict.Object) error) error {
	err := may(ref, image)
	if err == nil {
		o[verdict.Image][ref] = image
	}
	return err
}

func (o objects) Twin(_ context.Context, base verdict.Object, platform string, labels map[string]string) (string, error) {
	twin := "sha256:twin-of-" + base.ID[7:11] + "-for-" + labels[verdict.DefaultLabelKey]
	if changed := strings.Join(base.OnBuild, ";"); strings.Contains(changed, "sha256:") {
		twin += " " + changed
	}
	return strings.TrimSpace(twin + " " + platform), nil
}

// dockerfileOf rewrites the upload of a build by its decision and returns the
// Dockerfile without the owner's LABEL lines.
func dockerfileOf(t *testing.T, p verdict.Policy, in verdict.Inspector, query, dockerfile string) (string, error) {
	t.Helper()
	d, err := decideOn(p, in, "POST", "/v1.41/build?"+query, "")
	if err != nil {
		return "", err
	}
	if d.Query.Has("pull") {
		t.Error("the engine is told to pull")
	}
	var body, out bytes.Buffer
	w := tar.NewWriter(&body)
	w.WriteHeader(&tar.Header{Name: "Dockerfile", Size: int64(len(dockerfile))})
	io.WriteString(w, dockerfile)
	w.Close()
	s, err := buildcontext.Rewrite(&out, &body, *d.Context)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(string(s.Text), "LABEL '"+verdict.DefaultLabelKey+"'='me'\n", ""), nil
}

// baseImages returns an inventory with local images and images of a registry.
func baseImages() objects {
	in := inventory()
	image := func(digit string, o verdict.Object) verdict.Object {
		o.ID = "sha256:" + hexID(digit)
		if o.Platform == "" {
			o.Platform = "linux/amd64"
		}
		return o
	}
	in[verdict.Image]["plain"] = image("a", verdict.Object{})
	in[verdict.Image]["onbuild"] = image("b", verdict.Object{OnBuild: []string{"RUN make"}})
	in[verdict.Image]["own-onbuild"] = image("c", verdict.Object{OnBuild: []string{"RUN make"}, Labels: mine})
	in[verdict.Image]["spoof"] = image("d", verdict.Object{OnBuild: []string{"LABEL " + verdict.DefaultLabelKey + "=them"}})
	in[verdict.Image]["own-spoof"] = image("d", verdict.Object{OnBuild: []string{"LABEL " + verdict.DefaultLabelKey + "=them"}, Labels: mine})
	in[verdict.Image]["peeks"] = image("e", verdict.Object{OnBuild: []string{"COPY --from=theirs /secret /"}})
	in[verdict.Image]["own-copies"] = image("e", verdict.Object{OnBuild: []string{"COPY --from=plain /app /"}, Labels: mine})
	in[verdict.Image]["copies"] = image("f", verdict.Object{OnBuild: []string{"COPY --from=theirs /app /"}})
	in[remote] = map[string]verdict.Object{
		"plain":             image("1", verdict.Object{}),
		"absent":            image("2", verdict.Object{}),
		"absent-onbuild":    image("3", verdict.Object{OnBuild: []string{"RUN make"}}),
		"plain linux/arm64": image("4", verdict.Object{Platform: "linux/arm64/v8"}),
		"onbuild linux/arm": image("5", verdict.Object{Platform: "linux/amd64"}),
		"theirs":            image("6", verdict.Object{}),
	}
	return in
}

// A build from a foreign image fails like one from an image that is not there, and
// a name that engines take for a part of an ID is not given: else a client could find
// out the IDs of other owners' images digit by digit.
func TestBuildsDoNotTellIDs(t *testing.T) {
	in := baseImages()
	in[verdict.Image]["sha256:7f"] = verdict.Object{ID: "sha256:" + hexID("7"), Labels: theirs}
	in[verdict.Image]["7f"] = in[verdict.Image]["sha256:7f"]
	for _, ref := range []string{"7f", "sha256:7f"} {
		missing := strings.Replace(ref, "7f", "8f", 1)
		for _, form := range []string{"FROM %s\n", "FROM plain\nCOPY --from=%s / /\n"} {
			_, got := dockerfileOf(t, verdict.Policy{}, in, "", fmt.Sprintf(form, ref))
			_, want := dockerfileOf(t, verdict.Policy{}, in, "", fmt.Sprintf(form, missing))
			if got == nil || want == nil || strings.ReplaceAll(got.Error(), ref, missing) != want.Error() {
				t.Errorf(form+": got %v, want %v as for one that is missing", ref, got, want)
			}
		}
	}
	for _, digits := range []string{"7f", "8f"} {
		for _, target := range []string{"/build?t=sha256:", "/images/plain/tag?repo=sha256&tag=", "/images/create?fromImage=sha256&tag="} {
			if _, err := decideOn(verdict.Policy{}, in, "POST", "/v1.41"+target+digits, ""); err == nil || !strings.Contains(err.Error(), "engines take it for the ID") {
				t.Errorf("%s%s: got %v", target, digits, err)
			}
		}
	}
}

func TestBaseImages(t *testing.T) {
	id := func(digit string) string { return "sha256:" + hexID(digit) }
	for _, tt := range []struct {
		name, query, dockerfile string
		want                    string // the Dockerfile, or part of the error
	}{
		{"stands in its FROM by ID", "", "FROM plain\n", "FROM " + id("a") + "\n"},
		{"stage and scratch", "", "FROM scratch AS plain\nFROM plain\n", "FROM scratch AS plain\nFROM plain\n"},
		{"absent is pulled", "", "FROM absent\n", "FROM " + id("2") + "\n"},
		{"nowhere", "", "FROM nowhere\n", "Dockerfile line 1: pull nowhere: pull access denied"},
		{"pull pulls what is there", "pull=1", "FROM plain\n", "FROM " + id("1") + "\n"},
		{"pull=0 does not", "pull=0", "FROM plain\n", "FROM " + id("a") + "\n"},
		{"pull of what is only there", "pull=true", "FROM onbuild\n", "pull access denied"},
		{"triggers make a twin", "", "FROM onbuild AS x\nRUN id\n", "FROM sha256:twin-of-bbbb-for-me AS x\nRUN id\n"},
		{"absent with triggers", "", "FROM absent-onbuild\n", "FROM sha256:twin-of-3333-for-me\n"},
		{"an own image needs no twin", "", "FROM own-onbuild\n", "FROM " + id("c") + "\n"},
		{"triggers set the owner label", "", "FROM spoof\n", "sockguard sets it"},
		{"triggers of an own image set the owner label", "", "FROM own-spoof\n", "sockguard sets it"},
		{"triggers read a foreign image", "", "FROM peeks\n", "FROM sha256:twin-of-eeee-for-me COPY --from=" + id("6") + " /secret /\n"},
		{"triggers read a stage", "", "FROM plain AS theirs\nFROM copies\n", "FROM " + id("a") + " AS theirs\nFROM sha256:twin-of-ffff-for-me\n"},
		{"foreign here, what the registry has", "", "FROM theirs\n", "FROM " + id("6") + "\n"},
		{"foreign and pulled", "pull=1", "FROM theirs\n", "FROM " + id("6") + "\n"},
		{"COPY of a foreign image", "", "FROM plain\nCOPY --from=theirs / /\n", "FROM " + id("a") + "\nCOPY --from=" + id("6") + " / /\n"},
		{"COPY pulls and stands by ID", "", "FROM plain\nCOPY --from=absent / /\n", "FROM " + id("a") + "\nCOPY --from=" + id("2") + " / /\n"},
		{"COPY of nothing", "", "FROM plain\nCOPY --from=nowhere / /\n", "line 2: pull nowhere"},
		{"COPY runs no triggers", "", "FROM plain\nCOPY --from=spoof / /\n", "FROM " + id("a") + "\nCOPY --from=" + id("d") + " / /\n"},
		{"triggers read an image by ID", "", "FROM own-copies\n", "FROM sha256:twin-of-eeee-for-me COPY --from=" + id("a") + " /app /\n"},
		{"platform that is there", "", "FROM --platform=linux/x86_64 plain\n", "FROM --platform=linux/x86_64 " + id("a") + "\n"},
		{"platform that is not", "platform=linux/arm64", "FROM plain\n", "FROM " + id("4") + "\n"},
		{"FROM's platform goes first", "platform=linux/arm64", "FROM --platform=linux plain\n", "FROM --platform=linux " + id("a") + "\n"},
		{"platform that the registry has not", "", "FROM --platform=linux/arm onbuild\n", "is for linux/amd64, not for linux/arm"},
		{"registry that is not open", "registries", "FROM absent\n", "registry docker.io"},
		{"registry of what is there", "registries", "FROM plain\n", "FROM " + id("a") + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := verdict.Policy{}
			if tt.query == "registries" {
				p.Registries, tt.query = []string{"localhost:5000"}, ""
			}
			got, err := dockerfileOf(t, p, baseImages(), tt.query, tt.dockerfile)
			if err != nil {
				got = err.Error()
				if d, ok := errors.AsType[*verdict.Denied](err); ok {
					got += d.Public()
				}
			}
			if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLabelStep(t *testing.T) {
	var got []int
	for _, labels := range []string{"", `{"a":"b"}`, `{"a":"b","x":"y"}`} {
		d, err := decideOn(verdict.Policy{}, inventory(), "POST", "/build?labels="+labels, "")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.LabelStep)
	}
	if diff := cmp.Diff([]int{1, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
	if d, err := decideOn(verdict.Policy{ShowLabelSteps: true}, inventory(), "POST", "/build", ""); err != nil || d.LabelStep != 0 {
		t.Errorf("got %v %v", d, err)
	}
}
