package container

import (
	"strings"

	"sockguard/policy/network"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

func checkLinks(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	return network.Links(d.Case, path, v)
}

// addLink links a new container to the operator's, if its network can have
// links.
func (d *Draft) addLink(host *rawjson.Object) error {
	if d.Link == "" || d.NetMode == "host" || d.NetMode == "none" || strings.HasPrefix(d.NetMode, "container:") {
		return nil
	}
	var links []string
	if value, ok := host.Get("Links"); ok {
		var err error
		if links, err = verdict.Decode[[]string]("HostConfig.Links", value); err != nil {
			return err
		}
	}
	host.Set("Links", rawjson.Encode(append(links, d.Link)))
	return nil
}
