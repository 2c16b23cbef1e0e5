package container

import (
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/network"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkNetworkMode decides HostConfig.NetworkMode: a built-in network, one of the
// owner's, or that of another container of the owner's. The host's network needs
// a grant, by whatever name it is called.
func checkNetworkMode(d *Draft, path, mode string) (name string, err error) {
	d.NetMode = mode
	if mode == "default" {
		return mode, nil
	}
	if strings.HasPrefix(mode, "container:") {
		return d.joins(path, mode)
	}
	o, name, err := network.Attachable(d.Case, path, mode)
	d.NetMode = name
	if !verdict.BuiltinNetwork(o.Name) {
		d.network = o
	}
	return name, err
}

var networkingTable = field.Table[*Draft]{
	{Name: "EndpointsConfig", Verdict: field.Checked, Why: "networks, and addresses in them", Check: checkEndpoints},
}

// checkEndpoints decides NetworkingConfig.EndpointsConfig. An endpoint is pinned
// by its NetworkID, which engines prefer to the name it is filed under.
func checkEndpoints(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	endpoints, err := verdict.DecodeObject(path, v)
	if err == nil {
		err = verdict.CheckList(path, endpoints.Len())
	}
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
	networking, err := networkingTable.Object(d, "NetworkingConfig", value)
	if err != nil {
		return nil, err
	}
	if d.network.ID != "" && rawjson.Empty(networking.Value("EndpointsConfig")) {
		var settings, pinned rawjson.Object
		settings.Set("NetworkID", rawjson.Encode(d.network.ID))
		pinned.Set(d.NetMode, settings.Marshal())
		networking.Set("EndpointsConfig", pinned.Marshal())
	}
	return networking.Marshal(), nil
}

func checkLinks(d *Draft, path string, links []string) ([]string, error) {
	return network.Links(d.Case, path, links)
}

// addLink links a new container to the operator's, if its network can have
// links.
func (d *Draft) addLink(host *rawjson.Object) error {
	if d.Link == "" || d.NetMode == "host" || d.NetMode == "none" || strings.HasPrefix(d.NetMode, "container:") {
		return nil
	}
	links, err := verdict.Decode[[]string]("HostConfig.Links", host.Value("Links"))
	if err != nil {
		return err
	}
	name, alias, ok := strings.Cut(d.Link, ":")
	if !ok {
		alias = name
	}
	o, err := d.Operator(name)
	host.Set("Links", rawjson.Encode(append(links, o.ID+":"+alias)))
	return err
}
