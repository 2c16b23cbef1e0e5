package engine

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"sockguard/policy/verdict"
	"sockguard/proxy/upstream"
)

// hubKey is the key of Docker Hub's credentials.
const hubKey = "https://index.docker.io/v1/"

// noDigest is the digest of no image. A pull of it fails for the reason for which a
// registry refuses to tell the digest, and says so in the engine's words.
var noDigest = "sha256:" + strings.Repeat("0", idSize)

// Manifest asks a registry, through the engine, about the image that ref leads to.
func (c *Client) Manifest(ctx context.Context, ref string) (m verdict.Manifest, err error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return m, &Error{http.StatusBadRequest, err.Error()}
	}
	info, err := c.Info(ctx)
	if err != nil {
		return m, err
	}
	resp, err := c.asCaller(ctx, http.MethodGet, "/distribution/"+named.String()+"/json", nil, named)
	if err != nil {
		return m, err
	}
	defer resp.Body.Close()
	text, err := readAnswer(resp)
	if err != nil || resp.StatusCode >= 300 {
		return verdict.Manifest{Digest: noDigest, Untold: true, Platform: info.Platform}, err
	}
	var answer struct {
		Descriptor struct{ MediaType, Digest string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return m, fmt.Errorf("read the engine's answer: %w", err)
	}
	if !pinned(verdict.Image, answer.Descriptor.Digest) {
		return m, fmt.Errorf("ask the registry for %s: got digest %q", ref, answer.Descriptor.Digest)
	}
	return verdict.Manifest{
		Digest: answer.Descriptor.Digest, Platform: info.Platform,
		Index: strings.Contains(answer.Descriptor.MediaType, "index") || strings.Contains(answer.Descriptor.MediaType, "list"),
	}, nil
}

// asCaller makes a request without a body, with the caller's credentials for the
// registry of an image.
func (c *Client) asCaller(ctx context.Context, method, path string, query url.Values, named reference.Named) (*http.Response, error) {
	u := &url.URL{Scheme: "http", Host: upstream.Host, Path: c.versioned(path), RawQuery: query.Encode()}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	if login := cmp.Or(caller.Login, loginOf(caller.Logins, reference.Domain(named))); login != "" {
		r.Header.Set("X-Registry-Auth", login)
	}
	return c.RoundTrip(r)
}

// Pull pulls one image, as the engine itself does for a build, and waits for the end.
// It drops the progress messages.
func (c *Client) Pull(ctx context.Context, p *verdict.Pulled, platform string) error {
	named, err := reference.ParseNormalizedNamed(p.Ref)
	if err != nil {
		return &Error{http.StatusBadRequest, err.Error()}
	}
	query := url.Values{"fromImage": {named.Name()}, "tag": {p.Digest}}
	if platform != "" {
		query.Set("platform", platform)
	}
	resp, err := c.asCaller(ctx, http.MethodPost, "/images/create", query, named)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		err = pulled(resp.Body)
	} else if text, rerr := readAnswer(resp); rerr != nil {
		err = rerr
	} else {
		err = &Error{resp.StatusCode, Message(text)}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		e.Message = p.Restore(e.Message)
	}
	return err
}

// pulled reads the messages of a pull. The error of a pull is one of them.
func pulled(r io.Reader) error {
	d := json.NewDecoder(r)
	for {
		var message struct{ Error string }
		err := d.Decode(&message)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read the engine's answer: %w", err)
		case message.Error != "":
			return &Error{http.StatusNotFound, message.Error}
		}
	}
}

// loginOf returns the credentials for a registry in an X-Registry-Config, encoded as
// an X-Registry-Auth. Like the engine it looks for the host as a key, then for a key
// that is an address of the host. It returns "" if logins cannot be decoded.
func loginOf(logins, host string) string {
	text, err := base64.URLEncoding.DecodeString(logins)
	if err != nil {
		return ""
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return ""
	}
	if host == "docker.io" {
		host = hubKey
	}
	login, ok := all[host]
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !ok && hostOf(key) == host {
			login, ok = all[key], true
		}
	}
	return base64.URLEncoding.EncodeToString(login)
}

// hostOf returns the host of a registry's address.
func hostOf(address string) string {
	address = strings.TrimPrefix(strings.TrimPrefix(address, "http://"), "https://")
	host, _, _ := strings.Cut(address, "/")
	return host
}
