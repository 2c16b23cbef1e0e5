package container

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"sockguard/policy/verdict"
)

// verifyMade judges a container once it is made, before the client learns of it. An
// engine looks names up later than sockguard did: what was checked may have gone, and
// another owner's may have its name. A container whose image or volume is not what
// was checked is removed.
func verifyMade(c *verdict.Case, image verdict.Object) {
	c.Out.Verify = func(answer []byte) error {
		var made struct {
			ID string `json:"Id"`
		}
		if err := json.Unmarshal(answer, &made); err != nil {
			return fmt.Errorf("read the engine's answer: %w", err)
		}
		ctx := context.WithoutCancel(c.Ctx)
		o, err := c.Inspector.Inspect(ctx, verdict.Container, made.ID)
		if err != nil {
			return fmt.Errorf("inspect the new container: %w", err)
		}
		if bareID(o.Parent) != bareID(image.ID) {
			return exchanged("image", "the image")
		}
		for _, name := range o.Mounted {
			v, err := c.Inspector.Inspect(ctx, verdict.Volume, name)
			if err != nil {
				return fmt.Errorf("inspect a volume of the new container: %w", err)
			}
			if !c.Owns(v.Labels) {
				return exchanged("volume", "volume "+name)
			}
		}
		return nil
	}
	c.Out.Undo = &verdict.EngineCall{
		Method: "DELETE", Path: "/containers/" + verdict.MadeID, Query: url.Values{"force": {"1"}, "v": {"1"}},
	}
}

func bareID(id string) string { return strings.TrimPrefix(id, "sha256:") }

func exchanged(rule, what string) error {
	return verdict.Deny(rule, "%s was exchanged while the container was made, and is not yours; the container is removed, try again", what)
}
