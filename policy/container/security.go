package container

import (
	"slices"
	"strings"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// defaultCapabilities are those of a container that asks for none.
var defaultCapabilities = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
	"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// safeSysctls concern the container's own namespaces, and their values are bounded:
// the safe set of Kubernetes, the length of listen queues, and IPv6 on or off.
var safeSysctls = []string{
	"kernel.shm_rmid_forced", "net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_syncookies",
	"net.ipv6.conf.all.disable_ipv6",
}

// CapAdd is the check of capabilities to add. It reads them as the engine does:
// in any case, with or without CAP_, as one string or a list.
func CapAdd(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	caps, err := decodeList(path, v)
	if err != nil {
		return nil, err
	}
	for _, c := range caps {
		name := capability(c)
		granted := slices.ContainsFunc(d.Capabilities, func(g string) bool { return capability(g) == name })
		if !granted && !slices.Contains(defaultCapabilities, name) {
			return nil, field.Deny(path, verdict.Quoted(c), "this capability reaches the host", "--allow-capability "+name)
		}
	}
	return rawjson.Encode(caps), nil
}

func capability(s string) string { return strings.TrimPrefix(strings.ToUpper(s), "CAP_") }

// decodeList reads a list of strings. One string counts as a list of one.
func decodeList(path string, v jsontext.Value) ([]string, error) {
	if v.Kind() == '"' {
		s, err := verdict.Decode[string](path, v)
		return []string{s}, err
	}
	return verdict.Decode[[]string](path, v)
}

// checkSecurityOpt permits no-new-privileges, in every spelling that turns it
// on, and what the operator granted.
func checkSecurityOpt(d *Draft, path string, opts []string) error {
	for _, opt := range opts {
		switch opt {
		case "no-new-privileges", "no-new-privileges=true", "no-new-privileges:true":
			continue
		}
		if !slices.Contains(d.SecurityOpts, opt) {
			return field.Deny(path, verdict.Quoted(opt), "it takes the confinement of a container away", "--allow-security-opt "+opt)
		}
	}
	return nil
}

// setNoNewPrivileges turns setuid programs off in a container whose user the operator
// set.
func (d *Draft) setNoNewPrivileges(host *rawjson.Object) error {
	if d.ForceUser == "" {
		return nil
	}
	opts, err := verdict.Decode[[]string]("HostConfig.SecurityOpt", host.Value("SecurityOpt"))
	opts = slices.DeleteFunc(opts, func(opt string) bool { return strings.HasPrefix(opt, "no-new-privileges") })
	host.Set("SecurityOpt", rawjson.Encode(append(opts, "no-new-privileges")))
	return err
}

// checkKernelPaths permits null only: an empty list uncovers everything.
func checkKernelPaths(_ *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	if v.Kind() == 'n' {
		return v, nil
	}
	return nil, verdict.Deny(path, "%s: a list of one's own, even an empty one, uncovers files of the kernel; remove it (--security-opt systempaths=unconfined sets it)", path)
}

// Sysctls permits sysctls that stay in the container and those that the operator
// granted. [Draft.CheckNetSysctls] completes the check.
func Sysctls(d *Draft, path string, sysctls map[string]string) error {
	for name := range sysctls {
		key := strings.ReplaceAll(name, "/", ".")
		if !slices.Contains(safeSysctls, key) && !slices.Contains(d.Sysctls, key) {
			return field.Deny(path, verdict.Quoted(name), "it may reach beyond the container", "--allow-sysctl "+key)
		}
		d.netSysctl = d.netSysctl || strings.HasPrefix(key, "net.")
	}
	return nil
}

// CheckNetSysctls refuses sysctls of the network if the network is the host's. It
// needs the whole body.
func (d *Draft) CheckNetSysctls(path string) error {
	if d.netSysctl && d.NetMode == "host" {
		return field.Deny(path, `"net.*"`, "with the host's network they are settings of the host", "")
	}
	return nil
}

// checkRuntime permits the runtimes that the operator named. The engine's
// default may be stricter than runc, so runc has to be named too.
func checkRuntime(d *Draft, path, runtime string) error {
	if slices.Contains(d.Runtimes, runtime) {
		return nil
	}
	return field.Deny(path, verdict.Quoted(runtime), "another runtime may confine less than the engine's default", "--allow-runtime "+runtime)
}

// GroupAdd is the check of additional groups. It refuses them if the operator set
// the user.
func GroupAdd(d *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	if d.ForceUser != "" {
		return nil, verdict.Deny(path, "%s: the operator set the user of all containers, %s; remove it", path, d.ForceUser)
	}
	return v, nil
}
