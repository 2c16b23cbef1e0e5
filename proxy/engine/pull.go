package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// hubKey is the key of Docker Hub's credentials.
const hubKey = "https://index.docker.io/v1/"

// Pull pulls one image, as the engine itself does for a build, and waits for the end.
// It drops the progress messages.
func (c *Client) Pull(ctx context.Context, ref, platform string) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return &Error{http.StatusBadRequest, err.Error()}
	}
	query := url.Values{"fromImage": {reference.TagNameOnly(named).String()}}
	if platform != "" {
		query.Set("platform", platform)
	}
	u := &url.URL{Scheme: "http", Host: Host, Path: c.versioned("/images/create"), RawQuery: query.Encode()}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), nil)
	if err != nil {
		return err
	}
	if login := loginOf(callerOf(ctx).Logins, reference.Domain(named)); login != "" {
		r.Header.Set("X-Registry-Auth", login)
	}
	resp, err := c.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return err
		}
		return &Error{resp.StatusCode, Message(body)}
	}
	return pulled(resp.Body)
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
