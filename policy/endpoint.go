package policy

import (
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// endpointTable is EndpointSettings. What an engine fills in itself is dropped:
// clients send it back from an inspect.
var endpointTable = []Field{
	{Name: "IPAMConfig", Verdict: Checked, check: checkEndpointIPAM},
	{Name: "Links", Verdict: Checked, Why: "the network and environment of another container", check: checkLinks},
	{Name: "Aliases", Verdict: Allowed},
	{Name: "MacAddress", Verdict: Allowed},
	{Name: "GwPriority", Since: "1.48", Verdict: Allowed},
	{Name: "DriverOpts", Verdict: Refused, Why: "they set the kernel's network options, sysctls among them"},
	{Name: "NetworkID", Verdict: Dropped, Why: "engines prefer it to the name that was checked; sockguard sets it"},
	{Name: "EndpointID", Verdict: Dropped},
	{Name: "Gateway", Verdict: Dropped},
	{Name: "IPAddress", Verdict: Dropped},
	{Name: "IPPrefixLen", Verdict: Dropped},
	{Name: "IPv6Gateway", Verdict: Dropped},
	{Name: "GlobalIPv6Address", Verdict: Dropped},
	{Name: "GlobalIPv6PrefixLen", Verdict: Dropped},
	{Name: "DNSNames", Since: "1.44", Verdict: Dropped},
}

// endpoint decides the settings of a container in a network. Those in one of the
// owner's networks carry its ID.
func (d *draft) endpoint(path string, value jsontext.Value, network Object) (jsontext.Value, error) {
	settings, err := decodeObject(path, value)
	if err != nil {
		return nil, err
	}
	if err := d.walk(path, endpointTable, &settings); err != nil {
		return nil, err
	}
	if network.ID != "" {
		settings.Set("NetworkID", rawjson.Encode(network.ID))
	}
	return settings.Marshal(), nil
}

func checkEndpointIPAM(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := decode[struct {
		IPv4Address, IPv6Address string
		LinkLocalIPs             []string
	}](path, v)
	return v, err
}

var connectTable = []Field{
	{Name: "Container", Verdict: Checked, check: checkContainerRef},
	{Name: "EndpointConfig", Verdict: Allowed}, // connectNetwork decides it
	{Name: "Force", Verdict: Allowed},
}

// connectNetwork decides POST /networks/{name}/connect and disconnect: the
// network and the container must both be the owner's. Of the engine's networks
// bridge can be left and joined again, and none left.
func connectNetwork(c *call) error {
	network, err := c.use(Network, c.Request.Name)
	if err != nil {
		return err
	}
	leaves := strings.HasSuffix(c.Route.Pattern, "/disconnect")
	if builtinNetwork(network.Name) && network.Name != "bridge" && !(leaves && network.Name == "none") {
		return deny("network", "network %s: containers are put into it when they are created; set it as their network mode", network.Name)
	}
	o, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	if err := d.walk("", connectTable, &o); err != nil {
		return err
	}
	if ref, ok := o.Get("Container"); !ok || rawjson.Empty(ref) {
		return bad("name", "empty container name: nothing is named; give a name or an ID")
	}
	if c.Route.Pattern == "/networks/{name}/connect" {
		value, _ := o.Get("EndpointConfig")
		settings, err := d.endpoint("EndpointConfig", value, network)
		if err != nil {
			return err
		}
		o.Set("EndpointConfig", settings)
	}
	c.out.Name, c.out.Body = network.ID, o.Marshal()
	return nil
}

func checkContainerRef(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	ref, err := decode[string](path, v)
	if err != nil {
		return nil, err
	}
	o, err := d.own(Container, ref)
	return rawjson.Encode(o.ID), err
}
