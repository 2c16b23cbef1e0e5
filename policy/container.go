package policy

import (
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// createContainer decides POST /containers/create. The body that goes to the
// engine is made of what was judged here, always with a HostConfig: engines up
// to 23 take the top level for one that is missing.
func createContainer(c *call) error {
	config, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	hostValue, _ := config.Get("HostConfig")
	netValue, _ := config.Get("NetworkingConfig")
	config.Delete("HostConfig")
	config.Delete("NetworkingConfig")
	if err := misplaced(&config); err != nil {
		return err
	}
	if err := d.walk("", configTable, &config); err != nil {
		return err
	}
	host, err := d.checkHostConfig(hostValue)
	if err != nil {
		return err
	}
	networking, err := d.checkNetworking(netValue)
	if err != nil {
		return err
	}
	image, err := d.checkImage(&config)
	if err != nil {
		return err
	}
	if err := d.anonymousVolumes(&config, image); err != nil {
		return err
	}
	if len(d.mounts) > 0 {
		host.Set("Mounts", rawjson.Encode(d.mounts))
	}
	d.forceUser(&config)
	if err := c.checkLabels(&config); err != nil {
		return err
	}
	config.Set("HostConfig", host.Marshal())
	config.Set("NetworkingConfig", networking)
	d.makeVolumes()
	c.out.Body = config.Marshal()
	return c.roomForContainer()
}

// misplaced refuses a field of HostConfig at the top level, where engines up to
// 23 read it too.
func misplaced(config *rawjson.Object) error {
	for name, value := range config.All() {
		f := field(hostConfigTable, name)
		if f == nil || field(configTable, name) != nil {
			continue
		}
		if !rawjson.Empty(value) || f.zero && value.Kind() != 'n' {
			return bad("body", "%s: old engines read it as HostConfig.%s; put it into HostConfig", name, name)
		}
	}
	return nil
}

func (d *draft) checkHostConfig(value jsontext.Value) (*rawjson.Object, error) {
	host, err := decodeObject("HostConfig", value)
	if err != nil {
		return nil, err
	}
	if err := d.walk("HostConfig", hostConfigTable, &host); err != nil {
		return nil, err
	}
	if d.netSysctl && d.netMode == "host" {
		return nil, denyField("HostConfig.Sysctls", `"net.*"`, "with the host's network they are settings of the host", "")
	}
	if err := d.limit("HostConfig.", &host); err != nil {
		return nil, err
	}
	if d.CgroupParent != "" {
		host.Set("CgroupParent", rawjson.Encode(d.CgroupParent))
	}
	return &host, d.addLink(&host)
}

// checkImage resolves the image. The name stays, for it is what lists show and
// Compose compares: between this look and the engine's the tag may move to
// another image, but only by who may tag it. A part of an ID is completed, for a
// tag could be made to shadow it.
func (d *draft) checkImage(config *rawjson.Object) (Object, error) {
	value, ok := config.Get("Image")
	if !ok {
		return Object{}, bad("name", "empty image name: nothing is named; give a name or an ID")
	}
	ref, err := decode[string]("Image", value)
	if err != nil {
		return Object{}, err
	}
	o, err := d.use(Image, ref)
	if pinned := pinnedRef(ref, o); err == nil && pinned != ref {
		config.Set("Image", rawjson.Encode(pinned))
	}
	return o, err
}

func (d *draft) forceUser(o *rawjson.Object) {
	if d.ForceUser != "" {
		o.Set("User", rawjson.Encode(d.ForceUser))
	}
}

// startContainer decides POST /containers/{name}/start and restart.
func startContainer(c *call) error {
	for _, param := range []string{"checkpoint", "checkpoint-dir"} {
		if c.Query.Get(param) != "" {
			return deny("checkpoint", "start from a checkpoint: checkpoints are directories of the host; start without %s", param)
		}
		c.out.Query.Del(param)
	}
	o, err := c.own(Container, c.Request.Name)
	if err != nil {
		return err
	}
	c.out.Name = o.ID
	return c.recheckBinds(o)
}

// updateContainer decides POST /containers/{name}/update, limits and the restart
// policy.
func updateContainer(c *call) error {
	o, err := c.own(Container, c.Request.Name)
	if err != nil {
		return err
	}
	body, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c, update: true}
	if err := d.walk("", updateTable, &body); err != nil {
		return err
	}
	if err := d.limit("", &body); err != nil {
		return err
	}
	c.out.Name, c.out.Body = o.ID, body.Marshal()
	return nil
}

// removeContainer decides DELETE /containers/{name}.
func removeContainer(c *call) error {
	if isTrue(c.Query.Get("link")) {
		return deny("link", "removal of the link %s: a link is found by name only, which may change hands; remove the container", c.Request.Name)
	}
	c.out.Query.Del("link")
	o, err := c.own(Container, c.Request.Name)
	c.out.Name = o.ID
	return err
}

// isTrue reads a boolean parameter as engines do: all but these are true.
func isTrue(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "0", "no", "false", "none":
		return false
	}
	return true
}
