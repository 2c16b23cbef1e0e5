package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"sockguard/policy/verdict"
)

const (
	// twinName is the repository of twins. Each twin has a tag of its own.
	twinName = verdict.TwinRepository

	// twinTime bounds the making of a twin. It goes on when the client leaves, so
	// that no half-made twin is left.
	twinTime = 2 * time.Minute
)

// image inspects an image for a platform. An engine whose images can have several is
// asked for this one; "arm64" is "linux/arm64".
func (c *Client) image(ctx context.Context, ref, platform string, into any) error {
	query := url.Values{}
	parts := strings.Split(platform, "/")
	if len(parts) == 1 && platform != "" && platform != "linux" && platform != "windows" {
		parts = []string{"linux", platform}
	}
	if i := c.info.Load(); i != nil && !i.API.Less(platformAPI) && len(parts) > 1 {
		query.Set("platform", platformJSON(parts))
	}
	return c.get(ctx, c.versioned(inspectPath(verdict.Image, ref)), query, into)
}

func platformJSON(parts []string) string {
	p := struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
		Variant      string `json:"variant,omitempty"`
	}{OS: parts[0], Architecture: parts[1]}
	if len(parts) > 2 {
		p.Variant = parts[2]
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // cannot happen: strings are valid JSON
	}
	return string(text)
}

// A twinSource is an image to make a twin of, or a twin.
type twinSource struct {
	ID     string `json:"Id"`
	Config map[string]json.RawMessage
	RootFS struct{ Layers []string }
}

// member decodes a member of the Config. If it is absent, into is not changed.
func (s *twinSource) member(name string, into any) error {
	if s.Config[name] == nil {
		return nil
	}
	return json.Unmarshal(s.Config[name], into)
}

// setTriggers replaces the triggers.
func (s *twinSource) setTriggers(onbuild []string) error {
	text, err := json.Marshal(onbuild)
	if s.Config == nil {
		s.Config = map[string]json.RawMessage{}
	}
	s.Config["OnBuild"] = text
	return err
}

// Twin returns the ID of an image with the layers and config of base, its triggers
// as base tells them, and with labels added, so that a build from the twin makes what
// a build from base makes. It makes the twin if there is none, by a commit of a
// container that never starts. The tag of a twin is a hash of its source, so the next
// build finds it, and its cache.
func (c *Client) Twin(ctx context.Context, base verdict.Object, platform string, labels map[string]string) (string, error) {
	select {
	case c.twins <- struct{}{}:
		defer func() { <-c.twins }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), twinTime)
	defer cancel()
	var source twinSource
	if err := c.image(ctx, base.ID, platform, &source); err != nil {
		return "", err
	}
	if err := source.setTriggers(base.OnBuild); err != nil {
		return "", err
	}
	tag := twinTag(base, platform, labels)
	var twin twinSource
	err := c.image(ctx, twinName+":"+tag, platform, &twin)
	switch {
	case err == nil && source.hasTwin(&twin, labels):
		return twin.ID, nil
	case err != nil && !errors.Is(err, verdict.ErrNotFound):
		return "", err
	}
	return c.makeTwin(ctx, base, &source, platform, tag, labels)
}

// twinTag returns the tag of a twin, a hash of what it is made of.
func twinTag(base verdict.Object, platform string, labels map[string]string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q", base.ID, platform, base.OnBuild)
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(h, " %q %q", key, labels[key])
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// hasTwin reports whether twin is a twin of s. Its name may have been given to
// another image.
func (s *twinSource) hasTwin(twin *twinSource, labels map[string]string) bool {
	var has map[string]string
	var ours, theirs []string
	err := cmp.Or(twin.member("Labels", &has), twin.member("OnBuild", &theirs), s.member("OnBuild", &ours))
	for key, value := range labels {
		if v, ok := has[key]; !ok || v != value {
			return false
		}
	}
	return err == nil && slices.Equal(ours, theirs) && slices.Equal(s.RootFS.Layers, twin.RootFS.Layers)
}

func (c *Client) makeTwin(ctx context.Context, base verdict.Object, source *twinSource, platform, tag string, labels map[string]string) (string, error) {
	config, err := source.config(labels)
	if err != nil {
		return "", fmt.Errorf("config of %s: %w", base.ID, err)
	}
	name := twinName + "-" + strings.ToLower(rand.Text())
	defer c.do(ctx, verdict.EngineCall{
		Method: http.MethodDelete, Path: c.versioned("/containers/" + name), Query: url.Values{"force": {"1"}, "v": {"1"}},
	}, nil)
	query := url.Values{"name": {name}}
	if platform != "" {
		query.Set("platform", platform)
	}
	if err := c.do(ctx, verdict.EngineCall{
		Method: http.MethodPost, Path: c.versioned("/containers/create"), Query: query, Body: twinContainer(base, source, labels),
	}, nil); err != nil {
		return "", fmt.Errorf("container of %s: %w", base.ID, err)
	}
	var made struct {
		ID string `json:"Id"`
	}
	if err := c.do(ctx, verdict.EngineCall{
		Method: http.MethodPost, Path: c.versioned("/commit"), Body: config,
		Query: url.Values{"container": {name}, "pause": {"0"}, "repo": {twinName}, "tag": {tag}, "comment": {"labelled twin of " + base.ID}},
	}, &made); err != nil {
		return "", fmt.Errorf("commit of %s: %w", base.ID, err)
	}
	if !pinned(verdict.Image, made.ID) {
		return "", fmt.Errorf("commit of %s: the engine answers with the ID %q", base.ID, made.ID)
	}
	return made.ID, nil
}

// config returns the config of a twin: that of s with labels added. A commit takes
// members that are missing from the container, so Entrypoint is always present.
func (s *twinSource) config(labels map[string]string) ([]byte, error) {
	all := map[string]string{}
	if err := s.member("Labels", &all); err != nil {
		return nil, err
	}
	if all == nil { // null
		all = map[string]string{}
	}
	maps.Copy(all, labels)
	text, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	config := maps.Clone(s.Config)
	config["Labels"] = text
	if e := string(config["Entrypoint"]); e == "" || e == "null" {
		config["Entrypoint"] = json.RawMessage("[]")
	}
	return json.Marshal(config)
}

// twinContainer returns the request body that creates the container of a twin. The
// container never runs, but creating it must have no effects: an engine wants a
// command, makes the working directory, which would be a layer, and makes volumes.
func twinContainer(base verdict.Object, source *twinSource, labels map[string]string) []byte {
	type mount struct{ Type, Target string }
	body := struct {
		Image, WorkingDir string
		Entrypoint        []string
		Labels            map[string]string
		HostConfig        struct {
			NetworkMode string
			LogConfig   struct{ Type string }
			Mounts      []mount
		}
	}{Image: base.ID, Entrypoint: []string{"/"}, Labels: labels}
	body.HostConfig.NetworkMode, body.HostConfig.LogConfig.Type = "none", "none"
	for _, target := range base.Volumes {
		m := mount{"tmpfs", path.Clean(target)}
		if path.IsAbs(target) && !slices.Contains(body.HostConfig.Mounts, m) {
			body.HostConfig.Mounts = append(body.HostConfig.Mounts, m)
		}
	}
	var dir string
	if source.member("WorkingDir", &dir) == nil && dir != "" {
		body.WorkingDir = "/"
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // cannot happen: strings are valid JSON
	}
	return text
}
