package policy

import (
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkNetworkMode decides HostConfig.NetworkMode: a network of the engine's, of
// the owner's, or of another container of the owner's. The host's network needs
// a grant, under whatever name.
func checkNetworkMode(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	mode, err := decode[string](path, v)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(mode, "container:") {
		v, err = d.joins(path, v)
		d.netMode = "container:"
		return v, err
	}
	if mode == "default" {
		d.netMode = mode
		return v, nil
	}
	o, name, err := d.attachable(path, mode)
	if err != nil {
		return nil, err
	}
	d.netMode = name
	if !builtinNetwork(o.Name) {
		d.network = o
	}
	return rawjson.Encode(name), nil
}

// attachable resolves a network that a container may be put into, and returns
// the name to send: the client's own word for it where that is the name, which
// is what answers show, else the full ID.
func (c *call) attachable(path, ref string) (o Object, name string, err error) {
	if builtinNetwork(ref) {
		o = Object{Name: ref} // the names are the engine's: nobody can take them
	} else if o, err = c.use(Network, ref); err != nil {
		return o, "", err
	}
	switch {
	case o.Name == "host" && !c.HostNetwork:
		return o, "", denyField(path, quoted(ref), "it is the host's network, with all that listens on it", "--allow-host-network")
	case o.Name == ref, builtinNetwork(o.Name):
		return o, o.Name, nil
	}
	return o, o.ID, nil
}

var networkingTable = []Field{
	{Name: "EndpointsConfig", Verdict: Checked, Why: "networks, and addresses in them", check: checkEndpoints},
}

// checkEndpoints decides NetworkingConfig.EndpointsConfig. An endpoint is pinned
// by its NetworkID, which engines prefer to the name it is filed under.
func checkEndpoints(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	endpoints, err := decodeObject(path, v)
	if err != nil {
		return nil, err
	}
	var pinned rawjson.Object
	for ref, value := range endpoints.All() {
		at := path + "." + ref
		o, name := Object{}, ref
		if ref != "default" {
			if o, name, err = d.attachable(at, ref); err != nil {
				return nil, err
			}
		}
		endpoint, err := d.endpoint(at, value, o)
		if err != nil {
			return nil, err
		}
		if _, twice := pinned.Get(name); twice {
			return nil, bad("network", "%s: network %s is named twice; name it once", path, name)
		}
		pinned.Set(name, endpoint)
	}
	return pinned.Marshal(), nil
}

// checkNetworking decides NetworkingConfig and pins the network of NetworkMode,
// which engines look up again by name at every start.
func (d *draft) checkNetworking(value jsontext.Value) (jsontext.Value, error) {
	networking, err := decodeObject("NetworkingConfig", value)
	if err != nil {
		return nil, err
	}
	if err := d.walk("NetworkingConfig", networkingTable, &networking); err != nil {
		return nil, err
	}
	endpoints, _ := networking.Get("EndpointsConfig")
	if d.network.ID != "" && (endpoints == nil || rawjson.Empty(endpoints)) {
		endpoint, err := d.endpoint("NetworkingConfig", jsontext.Value("{}"), d.network)
		if err != nil {
			return nil, err
		}
		var pinned rawjson.Object
		pinned.Set(d.netMode, endpoint)
		networking.Set("EndpointsConfig", pinned.Marshal())
	}
	return networking.Marshal(), nil
}
