package network

import (
	"slices"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// shown are the members of a network that its users see, besides its containers. Not
// among them are Peers, the addresses of a swarm's nodes, Services, which may be
// others', and Status, which counts what others have in a shared network.
var shown = []string{
	"Name", "Id", "Created", "Scope", "Driver", "EnableIPv4", "EnableIPv6", "IPAM", "Internal", "Attachable", "Ingress",
	"ConfigFrom", "ConfigOnly", "Options", "Labels",
}

// show reduces a network to what the owner may see of it: of the containers, those
// that are known to be the owner's.
func show(c *verdict.Case, network *rawjson.Object) error {
	for name := range network.All() {
		if name != "Containers" && !slices.Contains(shown, name) {
			network.Delete(name)
		}
	}
	value, ok := network.Get("Containers")
	if !ok {
		return nil
	}
	containers, err := rawjson.DecodeObject("Containers", value)
	for id := range containers.All() {
		if _, err := c.Own(verdict.Container, id); err != nil {
			containers.Delete(id)
		}
	}
	network.Set("Containers", containers.Marshal())
	return err
}

// Show returns an element of a list of networks as the owner may see it, nil if not
// at all.
func Show(c *verdict.Case, item jsontext.Value) (jsontext.Value, error) {
	network, err := rawjson.ParseObject(item)
	if err != nil {
		return nil, err
	}
	name, err := rawjson.Decode[string]("Name", network.Value("Name"))
	if err != nil {
		return nil, err
	}
	labels, err := rawjson.Decode[map[string]string]("Labels", network.Value("Labels"))
	if err != nil || !c.Usable(verdict.Network, verdict.Object{Name: name, Labels: labels}) {
		return nil, err
	}
	err = show(c, &network)
	return network.Marshal(), err
}
