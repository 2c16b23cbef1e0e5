package container

import (
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/network"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkNetworkMode decides HostConfig.NetworkMode: a network of the engine's, of
// the owner's, or of another container of the owner's. The host's network needs
// a grant, under whatever name.
func checkNetworkMode(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	mode, err := verdict.Decode[string](path, v)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(mode, "container:") {
		v, err = d.joins(path, v)
		d.NetMode = "container:"
		return v, err
	}
	if mode == "default" {
		d.NetMode = mode
		return v, nil
	}
	o, name, err := network.Attachable(d.Case, path, mode)
	if err != nil {
		return nil, err
	}
	d.NetMode = name
	if !verdict.BuiltinNetwork(o.Name) {
		d.network = o
	}
	return rawjson.Encode(name), nil
}

var networkingTable = field.Table[*Draft]{
	{Name: "EndpointsConfig", Verdict: field.Checked, Why: "networks, and addresses in them", Check: checkEndpoints},
}

// checkEndpoints decides NetworkingConfig.EndpointsConfig. An endpoint is pinned
// by its NetworkID, which engines prefer to the name it is filed under.
func checkEndpoints(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	endpoints, err := verdict.DecodeObject(path, v)
	if err != nil {
		return nil, err
	}
	var pinned rawjson.Object
	for ref, value := range endpoints.All() {
		at := path + "." + ref
		o, name := verdict.Object{}, ref
		if ref != "default" {
			if o, name, err = network.Attachable(d.Case, at, ref); err != nil {
				return nil, err
			}
		}
		endpoint, err := network.Endpoint(d.Case, at, value, o)
		if err != nil {
			return nil, err
		}
		if _, twice := pinned.Get(name); twice {
			return nil, verdict.Bad("network", "%s: network %s is named twice; name it once", path, name)
		}
		pinned.Set(name, endpoint)
	}
	return pinned.Marshal(), nil
}

// checkNetworking decides NetworkingConfig. It pins the network of NetworkMode
// too, which engines otherwise look up by name at every start.
func (d *Draft) checkNetworking(value jsontext.Value) (jsontext.Value, error) {
	networking, err := verdict.DecodeObject("NetworkingConfig", value)
	if err != nil {
		return nil, err
	}
	if err := networkingTable.Walk(d, "NetworkingConfig", &networking); err != nil {
		return nil, err
	}
	endpoints, _ := networking.Get("EndpointsConfig")
	if d.network.ID != "" && (endpoints == nil || rawjson.Empty(endpoints)) {
		endpoint, err := network.Endpoint(d.Case, "NetworkingConfig", jsontext.Value("{}"), d.network)
		if err != nil {
			return nil, err
		}
		var pinned rawjson.Object
		pinned.Set(d.NetMode, endpoint)
		networking.Set("EndpointsConfig", pinned.Marshal())
	}
	return networking.Marshal(), nil
}
