package image

import (
	"regexp"
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
	host, err := loginHost(body.ServerAddress)
	if err == nil {
		err = checkHost(c, host)
	}
	if err != nil {
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

// registryHost matches a name or an address, with or without a port.
var registryHost = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?$`)

// loginHost returns the host that an engine connects to for the address of a login:
// "https://registry.test/v2/" or "registry.test". Engines know two schemes, in lower
// case. What stands before any other "://" is the host to them.
func loginHost(address string) (string, error) {
	if address == "" {
		return hub, nil
	}
	rest, ok := strings.CutPrefix(address, "https://")
	if !ok {
		rest = strings.TrimPrefix(address, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	if !registryHost.MatchString(host) || strings.Contains(rest, "://") {
		return "", verdict.Bad("registry", "serveraddress %s is no address of a registry; write a host, as in registry.example.com:5000, or an https:// URL", verdict.Quoted(address))
	}
	return canonicalHost(host), nil
}

// canonicalHost maps the names of Docker Hub to one.
func canonicalHost(host string) string {
	switch host {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		return hub
	}
	return host
}
