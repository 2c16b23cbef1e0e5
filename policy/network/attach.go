package network

import (
	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

// Attachable resolves a network that a container may be put into, and returns
// the name to send: the client's own word for it where that is the name, which
// is what answers show, else the full ID.
func Attachable(c *verdict.Case, path, ref string) (o verdict.Object, name string, err error) {
	if verdict.BuiltinNetwork(ref) {
		o = verdict.Object{Name: ref} // the names are the engine's: nobody can take them
	} else if o, err = c.Use(verdict.Network, ref); err != nil {
		return o, "", err
	}
	switch {
	case o.Name == "host" && !c.HostNetwork:
		return o, "", field.Deny(path, verdict.Quoted(ref), "it is the host's network, with all that listens on it", "--allow-host-network")
	case o.Name == ref, verdict.BuiltinNetwork(o.Name):
		return o, o.Name, nil
	}
	return o, o.ID, nil
}
