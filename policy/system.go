package policy

import (
	"fmt"
	"net/http"
)

// pass lets a request through that names nothing and holds nothing of anybody.
func pass(*call) error { return nil }

// refuse makes the decision of a route that is never forwarded.
func refuse(why string) func(*call) error {
	return func(c *call) error {
		return deny("route", "%s %s is not open: %s", c.Method, c.Route.Pattern, why)
	}
}

func refuseBuildKit(c *call) error {
	return deny("buildkit", "%s %s: BuildKit is not open through this socket yet; set DOCKER_BUILDKIT=0 to build with the classic builder", c.Method, c.Route.Pattern)
}

func refusePlugin(c *call) error {
	return deny("plugin", "%s %s: a plugin runs as root on the host; ask the operator to install it", c.Method, c.Route.Pattern)
}

// missPlugin answers as if there were no plugin: docker inspect asks for one when
// nothing else has the name, and passes anything but that on to its user.
func missPlugin(c *call) error {
	return &Denied{
		Status: http.StatusNotFound, Rule: "plugin", Message: fmt.Sprintf("plugin %q not found", c.Name),
		Truth: fmt.Sprintf("plugin %q, if there is one, is the host's", c.Name),
	}
}

func refuseSwarm(c *call) error {
	return deny("swarm", "%s %s: the swarm is the operator's; ask the operator", c.Method, c.Route.Pattern)
}

func refuseDebug(c *call) error {
	return deny("debug", "%s %s: the engine's own memory is not open; ask the operator", c.Method, c.Route.Pattern)
}

// auth decides POST /auth: the engine tries credentials on a registry.
func auth(c *call) error {
	var body struct {
		Username      string `json:"username,omitempty"`
		Password      string `json:"password,omitempty"`
		Auth          string `json:"auth,omitempty"`
		Email         string `json:"email,omitempty"`
		ServerAddress string `json:"serveraddress,omitempty"`
		IdentityToken string `json:"identitytoken,omitempty"`
		RegistryToken string `json:"registrytoken,omitempty"`
	}
	if err := c.decodeBody(&body); err != nil {
		return err
	}
	if err := c.checkRegistryHost(canonicalHost(body.ServerAddress)); err != nil {
		return err
	}
	return c.encodeBody(body)
}
