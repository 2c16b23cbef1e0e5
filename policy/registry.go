package policy

import (
	"net/url"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// hub is the registry of names that name none.
const hub = "docker.io"

// checkRegistry refuses an image name whose registry the operator did not open.
// The engine connects to it from the host's network.
func (c *call) checkRegistry(ref string) error {
	if c.Registries == nil {
		return nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return bad("registry", "%s is no image name: %v; write registry/name:tag", quoted(ref), err)
	}
	return c.checkRegistryHost(reference.Domain(named))
}

func (c *call) checkRegistryHost(host string) error {
	if c.Registries == nil || slices.Contains(c.Registries, host) {
		return nil
	}
	return deny("registry", "registry %s: the operator opened %s only; use one of them, or ask for --allow-registry %s", host, strings.Join(c.Registries, ", "), host)
}

// distribution decides GET /distribution/{name}/json, which asks a registry.
func distribution(c *call) error { return c.checkRegistry(c.Request.Name) }

// searchImages decides GET /images/search. A first part with a dot, a colon, or
// "localhost" is a registry, as in the engine.
func searchImages(c *call) error {
	host, _, named := strings.Cut(c.Query.Get("term"), "/")
	if !named || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host = hub
	}
	return c.checkRegistryHost(canonicalHost(host))
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
