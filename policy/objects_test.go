package policy

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
)

// objects is an engine's inventory, by kind and by each name of an object.
type objects map[verdict.Kind]map[string]verdict.Object

type notFoundText string

func (e notFoundText) Error() string { return string(e) }
func (e notFoundText) Unwrap() error { return verdict.ErrNotFound }

func (o objects) Inspect(_ context.Context, kind verdict.Kind, ref string) (verdict.Object, error) {
	for name, object := range o[kind] {
		if name == ref || object.ID == ref {
			return object, nil
		}
	}
	return verdict.Object{}, notFoundText(missing(kind, ref))
}

// Images finds images by the familiar name of a repository only, as engines do.
func (o objects) Images(_ context.Context, repository string) ([]verdict.Object, error) {
	var images []verdict.Object
	for name, object := range o[verdict.Image] {
		if repo, _, tagged := strings.Cut(name, ":"); tagged && repo == repository {
			images = append(images, object)
		}
	}
	return images, nil
}

func (o objects) ImageLabels(_ context.Context, _ string, listed map[string]string) (map[string]string, error) {
	return listed, nil
}

func (o objects) Settled(ctx context.Context, name string, accept func(verdict.Object) error) (verdict.Object, error) {
	c, err := o.Inspect(ctx, verdict.Container, name)
	if err == nil {
		err = accept(c)
	}
	return c, err
}

func (o objects) AddressPools(context.Context) ([]netip.Prefix, error) {
	return []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("fd00:1::/32")}, nil
}

func (o objects) Reserve(_ context.Context, _ verdict.Kind, want, ceiling int, count func() (int, error)) (func(), error) {
	n, err := count()
	if err == nil && n+want > ceiling {
		err = verdict.ErrNoRoom
	}
	return func() {}, err
}

func (o objects) Last(verdict.Kind, string) (verdict.Object, bool) { return verdict.Object{}, false }

// missing are the messages of Engine 28.
func missing(kind verdict.Kind, ref string) string {
	switch kind {
	case verdict.Network:
		return "network " + ref + " not found"
	case verdict.Volume:
		return "get " + ref + ": no such volume"
	}
	return "No such " + string(kind) + ": " + ref
}

func (o objects) Missing(_ context.Context, kind verdict.Kind, ref string) (string, error) {
	return missing(kind, ref), nil
}

// hexID returns a full ID that repeats one digit.
func hexID(digit string) string { return strings.Repeat(digit, 64) }

var (
	mine   = map[string]string{verdict.DefaultLabelKey: "me"}
	theirs = map[string]string{verdict.DefaultLabelKey: "them"}
)

// inventory returns objects of each kind of the owner and of another one.
func inventory() objects {
	return objects{
		verdict.Container: {
			"web":    {ID: hexID("1"), Name: "web", Labels: mine, Volumes: []string{"/data"}},
			"web/db": {ID: hexID("2"), Name: "victim", Labels: theirs}, // a link's name
			"victim": {ID: hexID("2"), Name: "victim", Labels: theirs},
			"host":   {ID: hexID("3"), Name: "host"},
		},
		verdict.Network: {
			"bridge":       {ID: hexID("a"), Name: "bridge"},
			"host":         {ID: hexID("b"), Name: "host"},
			"net":          {ID: hexID("c"), Name: "net", Labels: mine},
			"cccc":         {ID: hexID("c"), Name: "net", Labels: mine},
			"shop_default": {ID: hexID("d"), Name: "shop_default", Labels: mine},
			"app_default":  {ID: hexID("e"), Name: "app_default", Labels: mine},
			"corp":         {ID: hexID("f"), Name: "corp"},
			"victims":      {ID: hexID("9"), Name: "victims", Labels: theirs},
		},
		verdict.Volume: {
			"shop_data": {ID: "shop_data", Name: "shop_data", Labels: mine},
			"secrets":   {ID: "secrets", Name: "secrets", Labels: theirs},
			"old":       {ID: "old", Name: "old"},
		},
		verdict.Image: {
			"busybox:latest": {ID: "sha256:" + hexID("7"), Tags: []string{"busybox:latest"}},
			"7777":           {ID: "sha256:" + hexID("7"), Tags: []string{"busybox:latest"}},
			"postgres":       {ID: "sha256:" + hexID("8"), Volumes: []string{"/var/lib/postgresql/data"}},
			"volumes":        {ID: "sha256:" + hexID("4"), Volumes: slices.Repeat([]string{"/a"}, 200)},
			"ports":          {ID: "sha256:" + hexID("4"), Exposed: 200},
			"66666666":       {ID: "sha256:" + hexID("5"), Labels: mine, Tags: []string{"66666666:latest"}},
			"team:v1":        {ID: "sha256:" + hexID("6"), Labels: theirs},
			"theirs:latest":  {ID: "sha256:" + hexID("6"), Labels: theirs},
			"theirs":         {ID: "sha256:" + hexID("6"), Labels: theirs},
			"66823118-4adc-4635-bf06-cc3648a5d242:627630b0-8f82-45e5-af89-b0ead4591cef": {ID: "sha256:" + hexID("5"), Labels: mine},
		},
	}
}

// decideOn parses a request and decides it.
func decideOn(p verdict.Policy, in verdict.Inspector, method, target, body string) (*verdict.Decision, error) {
	p.Owner, p.LabelKey = cmp.Or(p.Owner, "me"), verdict.DefaultLabelKey
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	r, err := Parse(method, u)
	if err != nil {
		return nil, err
	}
	if body != "" {
		r.Body = []byte(body)
	}
	return p.Decide(context.Background(), r, rewrite.EngineVersion{}, in)
}

// A verdictVector is a request and the verdict on it.
type verdictVector struct {
	name, target, body string
	policy             verdict.Policy
	want               string // part of the denial; "" when it passes
}

func testVerdicts(t *testing.T, method, target string, vectors []verdictVector) {
	t.Helper()
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			if v.target == "" {
				v.target = target
			}
			out, err := decideOn(v.policy, inventory(), method, v.target, v.body)
			var denied *verdict.Denied
			switch {
			case v.want == "" && err != nil:
				t.Errorf("got %v, want it to pass", err)
			case v.want != "" && err == nil:
				t.Errorf("got %s, want a denial with %q", out.Body, v.want)
			case v.want != "" && (!errors.As(err, &denied) || !strings.Contains(denied.Message, v.want)):
				t.Errorf("got %v, want a denial with %q", err, v.want)
			}
		})
	}
}
