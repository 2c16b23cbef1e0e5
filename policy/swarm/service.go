package swarm

import (
	"sockguard/policy/container"
	"sockguard/policy/image"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/distribution/reference"
	"github.com/go-json-experiment/json/jsontext"
)

// CreateService decides POST /services/create. The rules of containers apply, and
// stricter ones for names: the swarm looks a name up whenever a task starts, on any
// node, and sockguard does not see it. So images are pinned, and volumes and host
// paths pass only if no other owner can have them.
func CreateService(c *verdict.Case) error { return decideService(c, "") }

// UpdateService decides POST /services/{id}/update, whose body is a whole service.
// A rollback needs no check, because the service that it restores was checked.
func UpdateService(c *verdict.Case) error {
	o, err := c.OwnNamed(verdict.Service)
	if err != nil {
		return err
	}
	if r := c.Query.Get("rollback"); r != "" && r != "previous" {
		return verdict.Bad("query", "rollback=%s: engines know previous only; use it", verdict.Quoted(r))
	}
	return decideService(c, o.ID)
}

// decideService decides the body of a new service, or of the one with the ID.
func decideService(c *verdict.Case, id string) error {
	if c.CgroupParent != "" {
		return verdict.Deny("cgroup", "a service: its containers cannot be put into the operator's cgroup %s; use plain containers", c.CgroupParent)
	}
	d := &container.Draft{Case: c}
	spec, err := serviceTable.Body(d)
	if err != nil {
		return err
	}
	if _, ok := spec.Get("TaskTemplate"); !ok {
		return verdict.Bad("body", "TaskTemplate is missing: nothing would run; describe a container in TaskTemplate.ContainerSpec")
	}
	if err := d.CheckNetSysctls("TaskTemplate.ContainerSpec.Sysctls"); err != nil {
		return err
	}
	if err := c.SendLabelled(&spec); err != nil {
		return err
	}
	return reserveRoom(c, id, spec.Value("Mode"))
}

// checkTask decides what a service runs.
func checkTask(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	task, err := taskTable.Object(d, path, v)
	if err != nil {
		return nil, err
	}
	if _, ok := task.Get("ContainerSpec"); !ok {
		return nil, verdict.Bad("body", "TaskTemplate.ContainerSpec is missing: nothing would run; describe a container")
	}
	err = limit(d.Case, &task)
	return task.Marshal(), err
}

// checkContainerSpec decides the container of a service.
func checkContainerSpec(d *container.Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	spec, err := containerSpecTable.Object(d, path, v)
	if err != nil {
		return nil, err
	}
	o, err := pinImage(d.Case, path, &spec)
	if err != nil {
		return nil, err
	}
	if err := d.AddVolumes("Volumes", o.Volumes); err != nil {
		return nil, err
	}
	d.SetMounts(&spec)
	container.SetUser(d.Case, &spec)
	if err := setNoNewPrivileges(d.Case, &spec); err != nil {
		return nil, err
	}
	err = d.ForceLabels(&spec)
	return spec.Marshal(), err
}

// setNoNewPrivileges turns setuid programs off in a container whose user the operator
// set. Engines before API 1.44 do not read it.
func setNoNewPrivileges(c *verdict.Case, spec *rawjson.Object) error {
	if c.ForceUser == "" {
		return nil
	}
	privileges, err := verdict.DecodeObject("Privileges", spec.Value("Privileges"))
	privileges.Set("NoNewPrivileges", jsontext.Value("true"))
	spec.Set("Privileges", privileges.Marshal())
	return err
}

// pinImage decides the image of a service and pins it by its digest or, if it was
// never in a registry, by its ID. When a task starts later, the name could belong
// to another owner on that node.
func pinImage(c *verdict.Case, path string, spec *rawjson.Object) (verdict.Object, error) {
	ref, err := verdict.Decode[string](path+".Image", spec.Value("Image"))
	if err == nil && ref == "" {
		err = verdict.NoName(verdict.Image)
	}
	if err != nil {
		return verdict.Object{}, err
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return verdict.Object{}, verdict.Bad("name", "%s.Image %s is no image name: %v; write name:tag or name@digest", path, verdict.Quoted(ref), err)
	}
	_, pinned := named.(reference.Canonical)
	o, found, err := c.Lookup(verdict.Image, ref)
	switch {
	case err != nil:
		return o, err
	case found && !c.Usable(verdict.Image, o):
		return o, c.MustUse(verdict.Image, ref, o)
	case !found && pinned:
		return o, image.CheckRegistry(c, ref)
	case !found:
		return o, c.NotFound(verdict.Image, ref, "")
	case !pinned:
		spec.Set("Image", rawjson.Encode(pinnedName(named, o)))
	}
	return o, nil
}

// pinnedName returns a name with the digest of the image, or its ID.
func pinnedName(named reference.Named, o verdict.Object) string {
	for _, tag := range o.Tags {
		digested, err := reference.ParseNormalizedNamed(tag)
		if c, ok := digested.(reference.Canonical); ok && err == nil && c.Name() == named.Name() {
			if full, err := reference.WithDigest(reference.TagNameOnly(named), c.Digest()); err == nil {
				return reference.FamiliarString(full)
			}
		}
	}
	return o.ID
}
