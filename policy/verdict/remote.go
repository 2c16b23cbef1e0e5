package verdict

import "net/url"

// A Remote is a build context that sockguard fetches in the engine's stead: an
// archive, or a plain Dockerfile.
type Remote struct {
	URL *url.URL // http or https, without a fragment
}

// String returns the address without the parts that may be secret: user, password
// and query.
func (r *Remote) String() string {
	return (&url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path}).String()
}

// CheckRemote refuses a context from a host that is not granted.
func (g *Grants) CheckRemote(r *Remote) error {
	if host := r.URL.Hostname(); !g.Remotes.Host(host) {
		return Deny("remote", "build of the remote context %s: the engine would fetch it with the host's network and unseen, and sockguard fetches from hosts that the operator names; "+
			"clone or download it and build from the directory, or ask for --allow-remote %s", r, host)
	}
	return nil
}
