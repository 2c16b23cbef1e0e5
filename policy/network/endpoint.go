package network

import (
	"path"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// endpointTable is EndpointSettings: one container in one network. The fields that
// only the engine sets are dropped, because clients send back what an inspect
// showed.
var endpointTable = field.Table[*verdict.Case]{
	{Name: "IPAMConfig", Verdict: field.Checked, Check: field.Read(checkAddresses)},
	{Name: "Links", Verdict: field.Checked, Why: "the network and environment of another container", Check: field.Edit(Links)},
	{Name: "Aliases", Verdict: field.Allowed},
	{Name: "MacAddress", Verdict: field.Allowed},
	{Name: "GwPriority", Since: "1.48", Verdict: field.Allowed},
	{Name: "DriverOpts", Verdict: field.Refused, Why: "they set the kernel's network options, sysctls among them"},
	{Name: "NetworkID", Verdict: field.Dropped, Why: "engines prefer it to the name that was checked; sockguard sets it"},
	{Name: "EndpointID", Verdict: field.Dropped},
	{Name: "Gateway", Verdict: field.Dropped},
	{Name: "IPAddress", Verdict: field.Dropped},
	{Name: "IPPrefixLen", Verdict: field.Dropped},
	{Name: "IPv6Gateway", Verdict: field.Dropped},
	{Name: "GlobalIPv6Address", Verdict: field.Dropped},
	{Name: "GlobalIPv6PrefixLen", Verdict: field.Dropped},
	{Name: "DNSNames", Since: "1.44", Verdict: field.Dropped},
}

// Attachable finds a network that a container may join. It returns the name to
// send: ref if it is the network's whole name, because answers show it, else the
// full ID.
func Attachable(c *verdict.Case, path, ref string) (o verdict.Object, name string, err error) {
	if verdict.BuiltinNetwork(ref) {
		o = verdict.Object{Name: ref}
	} else if o, err = c.Use(verdict.Network, ref); err != nil {
		return o, "", err
	}
	switch {
	case o.Name == "host" && !c.HostNetwork:
		return o, "", field.Deny(path, verdict.Quoted(ref), "it is the host's network, with all that listens on it", "--allow-host-network")
	case o.Name == ref && verdict.CheckNotID(verdict.Network, ref) == nil, verdict.BuiltinNetwork(o.Name):
		return o, o.Name, nil
	}
	return o, o.ID, nil
}

// Endpoint decides the settings of a container in a network, which is pinned by its
// ID.
func Endpoint(c *verdict.Case, path string, value jsontext.Value, network verdict.Object) (jsontext.Value, error) {
	settings, err := endpointTable.Object(c, path, value)
	if network.ID != "" {
		settings.Set("NetworkID", rawjson.Encode(network.ID))
	}
	return settings.Marshal(), err
}

// Links decides a list of "container" or "container:alias". The ID goes to the
// engine, the name stays as the alias.
func Links(c *verdict.Case, member string, links []string) ([]string, error) {
	if err := verdict.CheckList(member, len(links)); err != nil {
		return nil, err
	}
	for i, link := range links {
		ref, alias, ok := strings.Cut(link, ":")
		if name, found := strings.CutPrefix(ref, "/"); found && ok {
			ref, alias = name, path.Base(alias) // /db:/web/db, as an inspect shows it
		}
		if !ok {
			alias = ref
		}
		if alias == "" || strings.ContainsAny(alias, ":/") {
			return nil, verdict.Bad("link", "%s %s: it is not of the form container:alias; write it so", member, verdict.Quoted(link))
		}
		o, err := c.Own(verdict.Container, ref)
		if err != nil {
			return nil, err
		}
		links[i] = o.ID + ":" + alias
	}
	return links, nil
}
