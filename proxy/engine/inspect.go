package engine

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"sockguard/policy/verdict"
)

// inspected has the parts of the engine's answers to inspections that decide.
type inspected struct {
	ID          string `json:"Id"`
	SwarmID     string `json:"ID"` // the spelling of execs and of swarm objects
	Name        string
	Labels      map[string]string // networks, volumes
	ContainerID string            // execs
	Image       string            // containers: an ID
	RepoTags    []string
	RepoDigests []string
	Os          string // images
	Variant     string
	Arch        string `json:"Architecture"`
	Config      struct {
		Labels  map[string]string
		OnBuild []string
		Volumes map[string]struct{}

		ExposedPorts map[string]struct{}
	}
	ServiceID string // tasks
	Spec      struct {
		Name   string
		Labels map[string]string
	} // services, secrets, configs, nodes
	Mounts []struct {
		Type, Name, Source, Destination string
		RW                              bool
	}
}

// Inspect asks the engine for one object. An object given by its full ID is cached,
// since its labels never change. A name is asked for every time. The labels of an
// image are those of all its platforms.
func (c *Client) Inspect(ctx context.Context, kind verdict.Kind, ref string) (verdict.Object, error) {
	o, err := c.inspect(ctx, kind, ref)
	if err == nil && kind == verdict.Image {
		o, err = c.allPlatforms(ctx, o)
	}
	return o, err
}

func (c *Client) inspect(ctx context.Context, kind verdict.Kind, ref string) (verdict.Object, error) {
	if pinned(kind, ref) {
		if o, ok := c.objects.get(kind, ref); ok {
			return o, nil
		}
	}
	return c.lookUp(ctx, kind, ref)
}

// lookUp asks the engine for one object, and caches it. A container that may not have
// been checked yet ([makings]) is waited for and asked for again, until the answer is
// about the same one: a name may have passed to another meanwhile.
func (c *Client) lookUp(ctx context.Context, kind verdict.Kind, ref string) (verdict.Object, error) {
	path, caller := inspectPath(kind, ref), callerOf(ctx)
	same := caller.Inspects == path
	if same {
		path = "/v" + caller.Version.String() + path
	}
	making := makingsOf(ctx)
	for last := ""; ; {
		ended := making.count()
		header, text, err := c.ask(ctx, verdict.EngineCall{Method: http.MethodGet, Path: path})
		if err != nil {
			return verdict.Object{}, err
		}
		o, known := c.known(kind, text)
		if !known {
			var answer inspected
			if err := json.Unmarshal(text, &answer); err != nil {
				return o, fmt.Errorf("read the engine's answer: %w", err)
			}
			o = answer.object(kind)
		}
		if kind == verdict.Container && !known && o.ID != last {
			waited, err := making.wait(ctx, ended)
			if err != nil {
				return verdict.Object{}, err
			}
			if last = o.ID; waited {
				continue
			}
		}
		switch {
		case known:
		case caller.makes && kind == verdict.Container:
			caller.made = append(caller.made, o) // cached when it has been checked
		default:
			c.objects.put(kind, o)
		}
		if same {
			caller.Inspection = &Inspection{o.ID, header, text}
		}
		return o, nil
	}
}

// known returns the cached object of the container in an answer, which begins with
// its ID. Decoding the answer would take as long as the rest of a decision.
func (c *Client) known(kind verdict.Kind, answer []byte) (verdict.Object, bool) {
	id, found := bytes.CutPrefix(answer, []byte(`{"Id":"`))
	if kind != verdict.Container || !found || len(id) <= idSize || id[idSize] != '"' {
		return verdict.Object{}, false
	}
	return c.objects.get(kind, string(id[:idSize]))
}

// idSize is the number of hexadecimal digits of a full ID.
const idSize = 64

// Images lists the images that have a tag in the repository.
func (c *Client) Images(ctx context.Context, repository string) ([]verdict.Object, error) {
	filters := `{"reference":["` + strings.NewReplacer(`\`, ``, `"`, ``).Replace(repository) + `"]}`
	var answers []struct {
		ID       string `json:"Id"`
		RepoTags []string
		Labels   map[string]string
	}
	if err := c.get(ctx, "/images/json", url.Values{"filters": {filters}}, &answers); err != nil {
		return nil, err
	}
	var images []verdict.Object
	for _, a := range answers {
		labels, err := c.ImageLabels(ctx, a.ID, a.Labels)
		if err != nil {
			return nil, err
		}
		images = append(images, verdict.Object{ID: a.ID, Tags: a.RepoTags, Labels: labels})
	}
	return images, nil
}

// Last returns the cached object with a full ID.
func (c *Client) Last(kind verdict.Kind, id string) (verdict.Object, bool) {
	return c.objects.get(kind, id)
}

// newProbe returns the name of no object. No client can foresee it, and make one.
func newProbe() string { return "sockguard-asks-for-" + strings.ToLower(rand.Text()) }

// Missing returns the engine's message for an object ref that does not exist. It asks
// the engine once for each kind, since engines differ in their words.
func (c *Client) Missing(ctx context.Context, kind verdict.Kind, ref string) (string, error) {
	probe := c.probe
	if strings.ContainsAny(ref[strings.LastIndexByte(ref, '/')+1:], ":@") {
		probe += ":tag"
	}
	text, ok := c.missing.Load(string(kind) + probe)
	if !ok {
		err := c.get(ctx, inspectPath(kind, probe), nil, nil)
		if !errors.Is(err, verdict.ErrNotFound) {
			return "", cmp.Or(err, fmt.Errorf("the engine has a %s called %s", kind, probe))
		}
		text, _ = c.missing.LoadOrStore(string(kind)+probe, err.Error())
	}
	return strings.ReplaceAll(text.(string), probe, ref), nil
}

func inspectPath(kind verdict.Kind, ref string) string {
	switch kind {
	case verdict.Network:
		return "/networks/" + ref
	case verdict.Volume:
		return "/volumes/" + ref
	case verdict.Exec:
		return "/exec/" + ref + "/json"
	case verdict.Service, verdict.Task, verdict.Secret, verdict.Config, verdict.Node:
		return "/" + string(kind) + "s/" + ref
	}
	return "/" + string(kind) + "s/" + ref + "/json"
}

// pinned reports whether ref is a full ID, which is never given to another object.
func pinned(kind verdict.Kind, ref string) bool {
	if kind == verdict.Volume {
		return false
	}
	ref = strings.TrimPrefix(ref, "sha256:")
	return len(ref) == idSize && strings.Trim(ref, "0123456789abcdef") == ""
}

func (a *inspected) object(kind verdict.Kind) verdict.Object {
	o := verdict.Object{ID: cmp.Or(a.ID, a.SwarmID), Name: strings.TrimPrefix(a.Name, "/"), Labels: a.Labels}
	switch kind {
	case verdict.Container:
		o.Labels, o.Parent = a.Config.Labels, a.Image
		for _, m := range a.Mounts {
			o.Volumes = append(o.Volumes, m.Destination)
			switch m.Type {
			case "bind":
				o.Binds = append(o.Binds, verdict.Bind{Source: m.Source, ReadOnly: !m.RW})
			case "volume":
				o.Mounted = append(o.Mounted, m.Name)
			}
		}
	case verdict.Image:
		o.Labels, o.OnBuild, o.Exposed = a.Config.Labels, a.Config.OnBuild, len(a.Config.ExposedPorts)
		o.Tags = slices.Concat(a.RepoTags, a.RepoDigests)
		for target := range a.Config.Volumes {
			o.Volumes = append(o.Volumes, target)
		}
		slices.Sort(o.Volumes)
		o.Platform = strings.TrimSuffix(a.Os+"/"+a.Arch+"/"+a.Variant, "/")
	case verdict.Volume:
		o.ID = a.Name
	case verdict.Exec:
		o.Parent = a.ContainerID
	case verdict.Task:
		o.Labels, o.Parent = nil, a.ServiceID
	case verdict.Service, verdict.Secret, verdict.Config, verdict.Node:
		o.Name, o.Labels = a.Spec.Name, a.Spec.Labels
	}
	return o
}
