package policy

import (
	"sockguard/policy/image"
	"sockguard/policy/network"
	"sockguard/policy/verdict"

	"github.com/go-json-experiment/json/jsontext"
)

// listContainers narrows a list to the owner's containers. before and since
// answer a foreign container like a missing one. The filters by network, volume
// and ancestor need no help: for a foreign name they find nothing, because none
// of the owner's containers has it.
func listContainers(c *verdict.Case) error {
	c.Out.Query.Del("before") // no engine reads them as parameters since API 1.22
	c.Out.Query.Del("since")
	if err := c.PinFilters(c.Own, verdict.Container, "before", "since"); err != nil {
		return err
	}
	return c.FilterByOwner()
}

// listImages narrows a list to the owner's and the unlabelled images. The engine
// cannot combine two label filters by OR, so the answer is filtered.
func listImages(c *verdict.Case) error {
	c.Out.Query.Del("shared-size") // it tells which layers other images have
	c.EditList(func(item jsontext.Value) (jsontext.Value, error) { return image.Show(c, item) })
	return c.PinFilters(c.Use, verdict.Image, "before", "since")
}

// listNetworks narrows a list to the owner's networks and the built-in ones. The
// answers of API 1.27 and older hold every endpoint of a network, so those of
// 1.28 are asked for.
func listNetworks(c *verdict.Case) error {
	if short := (verdict.Version{Major: 1, Minor: 28}); c.Version.Less(short) {
		c.Request.Version = short
	}
	c.EditList(func(item jsontext.Value) (jsontext.Value, error) { return network.Show(c, item) })
	return c.CheckFilters()
}
