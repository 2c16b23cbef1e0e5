package image

import (
	"net/url"
	"slices"
	"strings"

	"sockguard/policy/verdict"

	"github.com/distribution/reference"
)

// hub is the registry of an image name that names none.
const hub = "docker.io"

// CheckRegistry refuses an image name whose registry the operator did not open.
// The engine connects to it from the host's network.
func CheckRegistry(c *verdict.Case, ref string) error {
	if c.Registries == nil {
		return nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return verdict.Bad("registry", "%s is no image name: %v; write registry/name:tag", verdict.Quoted(ref), err)
	}
	return checkHost(c, reference.Domain(named))
}

func checkHost(c *verdict.Case, host string) error {
	if c.Registries == nil || slices.Contains(c.Registries, host) {
		return nil
	}
	return verdict.Deny("registry", "registry %s: the operator opened %s only; use one of them, or ask for --allow-registry %s", host, strings.Join(c.Registries, ", "), host)
}

// Distribution decides GET /distribution/{name}/json, which asks a registry.
func Distribution(c *verdict.Case) error { return CheckRegistry(c, c.Request.Name) }

// Auth decides POST /auth, by which the engine tries credentials on a registry.
func Auth(c *verdict.Case) error {
	var body struct {
		Username      string `json:"username,omitempty"`
		Password      string `json:"password,omitempty"`
		Auth          string `json:"auth,omitempty"`
		Email         string `json:"email,omitempty"`
		ServerAddress string `json:"serveraddress,omitempty"`
		IdentityToken string `json:"identitytoken,omitempty"`
		RegistryToken string `json:"registrytoken,omitempty"`
	}
	if err := c.DecodeBody(&body); err != nil {
		return err
	}
	if err := checkHost(c, canonicalHost(body.ServerAddress)); err != nil {
		return err
	}
	return c.EncodeBody(body)
}

// Search decides GET /images/search. A first part with a dot, a colon, or
// "localhost" is a registry, as in the engine.
func Search(c *verdict.Case) error {
	host, _, named := strings.Cut(c.Query.Get("term"), "/")
	if !named || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host = hub
	}
	return checkHost(c, canonicalHost(host))
}

// canonicalHost is the host of a registry address: "https://index.docker.io/v1/"
// and "" are Docker Hub's.
func canonicalHost(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	host, _, _ := strings.Cut(address, "/")
	switch host {
	case "", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		return hub
	}
	return host
}
