package policy

// Grants are what an operator opens to the clients of one socket. The zero
// value opens nothing.
type Grants struct {
	// HostNetwork permits network mode "host", of containers and builds.
	HostNetwork bool
	// Binds are the host paths that containers may mount.
	Binds []BindGrant
}

// A BindGrant permits mounts of a host path and of what lies below it.
type BindGrant struct {
	Path     string // absolute and clean
	ReadOnly bool
}
