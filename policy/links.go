package policy

import (
	"path"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// checkLinks decides "container" or "container:alias". The ID goes to the
// engine, the name stays as the alias.
func checkLinks(d *draft, field string, v jsontext.Value) (jsontext.Value, error) {
	links, err := decode[[]string](field, v)
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
			return nil, bad("link", "%s %s: it is not of the form container:alias; write it so", field, quoted(link))
		}
		o, err := d.own(Container, ref)
		if err != nil {
			return nil, err
		}
		links[i] = o.ID + ":" + alias
	}
	return rawjson.Encode(links), nil
}

// checkVolumesFrom decides "container" or "container:mode". A container of the
// owner's has no mounts that were not judged before.
func checkVolumesFrom(d *draft, field string, v jsontext.Value) (jsontext.Value, error) {
	from, err := decode[[]string](field, v)
	if err != nil {
		return nil, err
	}
	for i, spec := range from {
		ref, mode, hasMode := strings.Cut(spec, ":")
		o, err := d.own(Container, ref)
		if err != nil {
			return nil, err
		}
		if err := d.recheckBinds(o); err != nil {
			return nil, err
		}
		for _, target := range o.Volumes {
			d.cover(target)
		}
		from[i] = o.ID
		if hasMode {
			from[i] += ":" + mode
		}
	}
	return rawjson.Encode(from), nil
}

// addLink links a new container to the operator's, where its network can have
// links.
func (d *draft) addLink(host *rawjson.Object) error {
	if d.Link == "" || d.netMode == "host" || d.netMode == "none" || strings.HasPrefix(d.netMode, "container:") {
		return nil
	}
	value, _ := host.Get("Links")
	var links []string
	if value != nil {
		var err error
		if links, err = decode[[]string]("HostConfig.Links", value); err != nil {
			return err
		}
	}
	host.Set("Links", rawjson.Encode(append(links, d.Link)))
	return nil
}
