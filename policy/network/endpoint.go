package network

import (
	"path"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// endpointTable is EndpointSettings: one container in one network. What an
// engine fills in itself is dropped, because clients send it back from an
// inspect.
var endpointTable = field.Table[*verdict.Case]{
	{Name: "IPAMConfig", Verdict: field.Checked, Check: checkEndpointIPAM},
	{Name: "Links", Verdict: field.Checked, Why: "the network and environment of another container", Check: Links},
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

// Endpoint decides the settings of a container in a network. One of the owner's
// networks is pinned by its ID.
func Endpoint(c *verdict.Case, path string, value jsontext.Value, network verdict.Object) (jsontext.Value, error) {
	settings, err := verdict.DecodeObject(path, value)
	if err != nil {
		return nil, err
	}
	if err := endpointTable.Walk(c, path, &settings); err != nil {
		return nil, err
	}
	if network.ID != "" {
		settings.Set("NetworkID", rawjson.Encode(network.ID))
	}
	return settings.Marshal(), nil
}

func checkEndpointIPAM(_ *verdict.Case, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := verdict.Decode[struct {
		IPv4Address, IPv6Address string
		LinkLocalIPs             []string
	}](path, v)
	return v, err
}

// Links decides a list of "container" or "container:alias". The ID goes to the
// engine, the name stays as the alias.
func Links(c *verdict.Case, member string, v jsontext.Value) (jsontext.Value, error) {
	links, err := verdict.Decode[[]string](member, v)
	if err != nil {
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
	return rawjson.Encode(links), nil
}
