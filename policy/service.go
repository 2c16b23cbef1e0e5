package policy

import (
	"sockguard/rewrite/rawjson"

	"github.com/distribution/reference"
	"github.com/go-json-experiment/json/jsontext"
)

// createService decides POST /services/create. Its containers are judged like
// others, and more strictly in one way: the swarm looks names up again whenever
// a task starts, on any node, without asking here. So images are pinned, and of
// volumes and host paths only those pass that cannot change hands.
func createService(c *call) error { return c.decideService("") }

// updateService decides POST /services/{id}/update, whose body is a whole
// service. A rollback goes to what was judged before.
func updateService(c *call) error {
	o, err := c.own(Service, c.Request.Name)
	if err != nil {
		return err
	}
	if r := c.Query.Get("rollback"); r != "" && r != "previous" {
		return bad("query", "rollback=%s: engines know previous only; use it", quoted(r))
	}
	c.out.Name = o.ID
	return c.decideService(o.ID)
}

func (c *call) decideService(id string) error {
	if c.CgroupParent != "" {
		return deny("cgroup", "a service: its containers cannot be put into the operator's cgroup %s; use plain containers", c.CgroupParent)
	}
	spec, err := c.parse()
	if err != nil {
		return err
	}
	d := &draft{call: c}
	if err := d.walk("", serviceTable, &spec); err != nil {
		return err
	}
	task, ok := spec.Get("TaskTemplate")
	if !ok {
		return bad("body", "TaskTemplate is missing: nothing would run; describe a container in TaskTemplate.ContainerSpec")
	}
	if task, err = d.finishTask(task); err != nil {
		return err
	}
	spec.Set("TaskTemplate", task)
	if err := c.checkLabels(&spec); err != nil {
		return err
	}
	c.out.Body = spec.Marshal()
	mode, _ := spec.Get("Mode")
	return c.roomForTasks(id, mode)
}

// finishTask puts what the operator forces into a task that was walked.
func (d *draft) finishTask(value jsontext.Value) (jsontext.Value, error) {
	task, err := decodeObject("TaskTemplate", value)
	if err != nil {
		return nil, err
	}
	if container, ok := task.Get("ContainerSpec"); !ok || rawjson.Empty(container) {
		return nil, bad("body", "TaskTemplate.ContainerSpec is missing: nothing would run; describe a container")
	}
	if d.netSysctl && d.netMode == "host" {
		return nil, denyField("TaskTemplate.ContainerSpec.Sysctls", `"net.*"`, "with the host's network they are settings of the host", "")
	}
	resources, _ := task.Get("Resources")
	if resources, err = d.taskLimits(resources); err != nil {
		return nil, err
	}
	if resources != nil {
		task.Set("Resources", resources)
	}
	return task.Marshal(), nil
}

// checkContainerSpec decides the container of a service.
func checkContainerSpec(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	spec, err := decodeObject(path, v)
	if err != nil {
		return nil, err
	}
	if err := d.walk(path, containerSpecTable, &spec); err != nil {
		return nil, err
	}
	image, err := d.serviceImage(path, &spec)
	if err != nil {
		return nil, err
	}
	if err := d.anonymousVolumes(&rawjson.Object{}, image); err != nil {
		return nil, err
	}
	if len(d.mounts) > 0 {
		spec.Set("Mounts", rawjson.Encode(d.mounts))
	}
	d.forceUser(&spec)
	err = d.checkLabels(&spec)
	return spec.Marshal(), err
}

// serviceImage decides the image of a service and pins it, by its digest or, for
// one that was never in a registry, by its ID. A name alone could belong to
// another owner when a task starts later, or on the node where it does.
func (d *draft) serviceImage(path string, spec *rawjson.Object) (Object, error) {
	value, ok := spec.Get("Image")
	if !ok || rawjson.Empty(value) {
		return Object{}, bad("name", "empty image name: nothing is named; give a name or an ID")
	}
	ref, err := decode[string](path+".Image", value)
	if err != nil {
		return Object{}, err
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return Object{}, bad("name", "%s.Image %s is no image name: %v; write name:tag or name@digest", path, quoted(ref), err)
	}
	_, pinned := named.(reference.Canonical)
	o, found, err := d.lookup(Image, ref)
	switch {
	case err != nil:
		return o, err
	case found && !d.owns(o.Labels) && !d.shared(Image, o):
		return o, d.notFound(Image, ref, d.foreign(Image, ref, o))
	case !found && pinned:
		return o, d.checkRegistry(ref)
	case !found:
		return o, d.notFound(Image, ref, "")
	case !pinned:
		spec.Set("Image", rawjson.Encode(pinImage(named, o)))
	}
	return o, nil
}

// pinImage names an image so that the name cannot come to mean another one.
func pinImage(named reference.Named, o Object) string {
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
