// Package container decides on containers. Its tables have a verdict on each field
// of a container's body: HostConfig in hostconfig.go, Config in config.go. The
// checks of each group of fields have a file of their own.
package container

import (
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// A Draft is the body of a container that is being checked.
type Draft struct {
	*verdict.Case
	NetMode string         // NetworkMode as it is sent
	network verdict.Object // the owner's network that NetworkMode names, if any

	netSysctl bool            // a sysctl of the network is set
	mounts    []Mount         // the mounts to send
	mounted   map[string]bool // mount points that have a mount, clean
	published int             // ports that are published
}

// Create decides POST /containers/create. The body that goes to the engine
// always has a HostConfig: without one, engines up to 23 read its fields from the
// top level.
func Create(c *verdict.Case) error {
	config, err := c.ParseBody()
	if err != nil {
		return err
	}
	d := &Draft{Case: c}
	if err := verdict.CheckNotID(verdict.Container, c.Query.Get("name")); err != nil {
		return err
	}
	if err := misplaced(&config); err != nil {
		return err
	}
	hostConfig, networkingConfig := config.Value("HostConfig"), config.Value("NetworkingConfig")
	if err := configTable.Walk(d, "", &config); err != nil {
		return err
	}
	host, err := d.checkHostConfig(hostConfig)
	if err != nil {
		return verdict.MissingInBody(err)
	}
	networking, err := d.checkNetworking(networkingConfig)
	if err != nil {
		return verdict.MissingInBody(err)
	}
	image, err := d.checkImage(&config)
	if err != nil {
		return err
	}
	if err := d.checkVolumes(&config, image); err != nil {
		return err
	}
	if err := d.checkPublished(&config, &host, image); err != nil {
		return err
	}
	d.SetMounts(&host)
	SetUser(c, &config)
	if err := c.ForceLabels(&config); err != nil {
		return err
	}
	config.Set("HostConfig", host.Marshal())
	config.Set("NetworkingConfig", networking)
	c.Out.Body = config.Marshal()
	verifyMade(c, image)
	return reserveRoom(c)
}

// misplaced refuses fields of HostConfig at the top level, where engines up to 23
// read them too.
func misplaced(config *rawjson.Object) error {
	for name, value := range config.All() {
		f := hostConfigTable.Find(name)
		if f == nil || configTable.Find(name) != nil {
			continue
		}
		if !rawjson.Empty(value) || f.Zero && value.Kind() != 'n' {
			return verdict.Bad("body", "%s: old engines read it as HostConfig.%s; put it into HostConfig", name, name)
		}
	}
	return nil
}

func (d *Draft) checkHostConfig(value jsontext.Value) (rawjson.Object, error) {
	host, err := hostConfigTable.Object(d, "HostConfig", value)
	if err != nil {
		return host, err
	}
	if err := d.CheckNetSysctls("HostConfig.Sysctls"); err != nil {
		return host, err
	}
	if err := Limit(d.Case, "HostConfig.", &host); err != nil {
		return host, err
	}
	if d.CgroupParent != "" {
		host.Set("CgroupParent", rawjson.Encode(d.CgroupParent))
	}
	if err := d.setNoNewPrivileges(&host); err != nil {
		return host, err
	}
	return host, d.addLink(&host)
}

// checkImage decides the image. A name stays a name, because lists show it and
// Compose compares it; [verifyMade] compares the image. A part of an ID is
// completed, because a tag may look like it.
func (d *Draft) checkImage(config *rawjson.Object) (verdict.Object, error) {
	ref, err := verdict.Decode[string]("Image", config.Value("Image"))
	if err != nil {
		return verdict.Object{}, err
	}
	o, err := d.Use(verdict.Image, ref)
	if platform := d.Query.Get("platform"); err == nil && platform != "" {
		o, err = d.Inspector.Base(d.Ctx, o.ID, platform)
		if err = d.Inspected(verdict.Image, ref, err); err == nil && !o.IsFor(platform) {
			err = d.NotFound(verdict.Image, ref, "the image is for "+o.Platform)
		}
	}
	if pinned := verdict.PinnedRef(ref, o); err == nil && pinned != ref {
		config.Set("Image", rawjson.Encode(pinned))
	}
	return o, err
}

// SetUser sets the operator's user, if there is one.
func SetUser(c *verdict.Case, o *rawjson.Object) {
	if c.ForceUser != "" {
		o.Set("User", rawjson.Encode(c.ForceUser))
	}
}

// Rename decides POST /containers/{name}/rename.
func Rename(c *verdict.Case) error {
	if _, err := c.OwnNamed(verdict.Container); err != nil {
		return err
	}
	return verdict.CheckNotID(verdict.Container, c.Query.Get("name"))
}

// Start decides POST /containers/{name}/start and restart.
func Start(c *verdict.Case) error {
	for _, param := range []string{"checkpoint", "checkpoint-dir"} {
		if c.Query.Get(param) != "" {
			return verdict.Deny("checkpoint", "start from a checkpoint: checkpoints are directories of the host; start without %s", param)
		}
		c.Out.Query.Del(param)
	}
	o, err := c.OwnNamed(verdict.Container)
	if err != nil {
		return err
	}
	return recheckBinds(c, o)
}

// Remove decides DELETE /containers/{name}.
func Remove(c *verdict.Case) error {
	if verdict.IsTrue(c.Query.Get("link")) {
		return verdict.Deny("link", "removal of the link %s: a link is found by name only, which may change hands; remove the container", c.Request.Name)
	}
	c.Out.Query.Del("link")
	_, err := c.OwnNamed(verdict.Container)
	return err
}
