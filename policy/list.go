package policy

import (
	"encoding/json"
	"io"
	"net/http"

	"sockguard/rewrite/rawjson"
)

// prune decides the prune routes of containers, images, networks and volumes:
// only what the owner has can be pruned.
func prune(c *call) error { return c.filterByOwner() }

// listContainers narrows a list to the owner's containers. before and since
// behave on a foreign container as on a missing one. Filters by network, volume
// and ancestor answer a foreign name like a missing one without any help: none
// of the owner's containers has it.
func listContainers(c *call) error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	for _, name := range []string{"before", "since"} {
		delete(c.out.Query, name) // as parameters no engine reads them since API 1.22
		for i, ref := range f[name] {
			o, err := c.own(Container, ref)
			if err != nil {
				return err
			}
			f[name][i] = o.ID
		}
	}
	return c.addOwner(f)
}

// listVolumes narrows a list to the owner's volumes.
func listVolumes(c *call) error { return c.filterByOwner() }

// listImages narrows a list to the owner's and the unlabelled images. The engine
// has no OR of labels, so the answer is filtered.
func listImages(c *call) error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	for _, name := range []string{"before", "since"} {
		for i, ref := range f[name] {
			o, err := c.use(Image, ref)
			if err != nil {
				return err
			}
			f[name][i] = o.ID
		}
	}
	c.out.Query.Del("shared-size") // it tells what layers other images have
	c.out.Response = func(dst io.Writer, src io.Reader) error {
		return rawjson.FilterArray(dst, src, c.showImage)
	}
	return c.setFilters(f)
}

// listNetworks narrows a list to the owner's networks and the built-in ones. Up
// to API 1.27 a list would hold every endpoint in them.
func listNetworks(c *call) error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	if short := (Version{1, 28}); c.Version.Less(short) {
		c.Request.Version = short
	}
	c.keep(func(item []byte) (bool, error) {
		var network struct {
			Name   string
			Labels map[string]string
		}
		err := json.Unmarshal(item, &network)
		return c.owns(network.Labels) || c.shared(Network, Object{Name: network.Name, Labels: network.Labels}), err
	})
	return c.setFilters(f)
}

// keep filters the answer, a JSON array, element by element.
func (c *call) keep(wanted func(item []byte) (bool, error)) {
	c.out.Response = func(dst io.Writer, src io.Reader) error {
		return rawjson.FilterArray(dst, src, rawjson.Keep(wanted))
	}
}

// filterByOwner adds the owner label to the filters of the request.
func (c *call) filterByOwner() error {
	f, err := c.filters()
	if err != nil {
		return err
	}
	return c.addOwner(f)
}

func (c *call) addOwner(f rawjson.Filters) error {
	f["label"] = append(f["label"], c.LabelKey+"="+c.Owner)
	return c.setFilters(f)
}

func (c *call) filters() (rawjson.Filters, error) {
	f, err := rawjson.ParseFilters(c.Query.Get("filters"))
	if err != nil {
		return nil, &Denied{Status: http.StatusBadRequest, Rule: "filters", Message: err.Error()}
	}
	return f, nil
}

func (c *call) setFilters(f rawjson.Filters) error {
	delete(c.out.Query, "filters")
	if len(f) > 0 {
		c.out.Query.Set("filters", f.Encode())
	}
	return nil
}
