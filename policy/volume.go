package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// A volumeBody is the body of POST /volumes/create.
type volumeBody struct {
	Name       string            `json:",omitzero"`
	Driver     string            `json:",omitzero"`
	DriverOpts map[string]string `json:",omitzero"`
	Labels     map[string]string `json:",omitzero"`
}

var volumeTable = []Field{
	{Name: "Name", Verdict: Allowed},
	{Name: "Driver", Verdict: Allowed},
	{Name: "DriverOpts", Verdict: Allowed},
	{Name: "Labels", Verdict: Allowed},
	{Name: "ClusterVolumeSpec", Since: "1.42", Verdict: Refused, Why: "cluster volumes are the swarm's"},
}

// createVolume decides POST /volumes/create. A name that exists is answered by
// the engine with the volume as it is, whoever owns it, so it must be free or
// the owner's.
func createVolume(c *call) error {
	o, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	if err := d.walk("", volumeTable, &o); err != nil {
		return err
	}
	v, err := decode[volumeBody]("", o.Marshal())
	if err != nil {
		return err
	}
	if err := checkDriver("Driver", v.Driver, v.DriverOpts); err != nil {
		return err
	}
	if v.Name != "" {
		if err := d.namedVolume("Name", v); err != nil {
			return err
		}
	}
	if err := c.checkLabels(&o); err != nil {
		return err
	}
	c.out.Body = o.Marshal()
	c.out.Verify = c.ownAnswer
	return nil
}

// ownAnswer refuses a volume that the engine did not make but found: somebody
// else made it between our look and this request.
func (c *call) ownAnswer(answer []byte) error {
	var v struct {
		Name   string
		Labels map[string]string
	}
	if err := json.Unmarshal(answer, &v); err != nil {
		return fmt.Errorf("read the engine's answer: %w", err)
	}
	if c.owns(v.Labels) {
		return nil
	}
	return deny("volume", "volume name %s is taken: names are the whole engine's; choose another", v.Name)
}

// namedVolume permits a volume of the owner's, and notes one that does not exist
// yet to be made with the owner's label before the request.
func (d *draft) namedVolume(field string, v volumeBody) error {
	if !validName(v.Name) {
		return bad("volume", "%s %s: it is no name for a volume; use letters, digits, and _ . - after the first", field, quoted(v.Name))
	}
	o, found, err := d.lookup(Volume, v.Name)
	switch {
	case err != nil || found && d.owns(o.Labels):
		return err
	case found:
		return &Denied{
			Status: http.StatusForbidden, Rule: "volume", Truth: d.foreign(Volume, v.Name, o),
			Message: field + ": volume name " + v.Name + " is taken: names are the whole engine's; choose another",
		}
	case slices.ContainsFunc(d.volumes, func(w volumeBody) bool { return w.Name == v.Name }):
		return nil
	}
	v.Labels, err = d.ownLabels(field, v.Labels)
	d.volumes = append(d.volumes, v)
	return err
}

// makeVolumes puts the volumes to make in front of the request.
func (d *draft) makeVolumes() {
	for _, v := range d.volumes {
		d.out.Before = append(d.out.Before, Call{Method: "POST", Path: "/volumes/create", Body: rawjson.Encode(v), Verify: d.ownAnswer})
	}
}

// lookup is find for things that need not exist.
func (c *call) lookup(kind Kind, ref string) (o Object, found bool, err error) {
	o, err = c.find(kind, ref)
	if d, ok := errors.AsType[*Denied](err); ok && d.Status == http.StatusNotFound {
		return o, false, nil
	}
	return o, err == nil, err
}

// checkDriver permits volumes that are directories of the engine's own, with or
// without a quota, and tmpfs. Any other option of the local driver is a mount(2)
// of the client's choice, by root.
func checkDriver(field, driver string, opts map[string]string) error {
	if driver != "" && driver != "local" {
		return denyField(field, quoted(driver), "a volume plugin runs as root on the host; use local", "")
	}
	tmpfs := opts["type"] == "tmpfs" && opts["device"] == "tmpfs"
	for key, value := range opts {
		switch {
		case value == "", key == "size":
		case tmpfs && (key == "type" || key == "device"):
		case tmpfs && key == "o" && tmpfsOptions(value):
		default:
			return denyField(field, "option "+quoted(key+"="+value), "the engine would mount it as root; use none, or type=tmpfs with device=tmpfs", "")
		}
	}
	return nil
}

// tmpfsOptions reports whether all options of a tmpfs concern only itself.
func tmpfsOptions(options string) bool {
	for option := range strings.SplitSeq(options, ",") {
		key, _, _ := strings.Cut(option, "=")
		switch key {
		case "size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "ro", "rw", "noexec", "exec", "nosuid", "nodev", "noatime":
		default:
			return false
		}
	}
	return true
}

// checkVolumeDriver decides HostConfig.VolumeDriver, the driver of all Binds.
func checkVolumeDriver(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	driver, err := decode[string](path, v)
	if err != nil {
		return nil, err
	}
	return v, checkDriver(path, driver, nil)
}

// validName reports whether s is what engines take for the name of a volume:
// no path, no reference to another thing, nothing to escape.
func validName(s string) bool {
	for i, r := range []byte(s) {
		alnum := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !alnum && (i == 0 || r != '_' && r != '.' && r != '-') {
			return false
		}
	}
	return s != ""
}
