package policy

import (
	"slices"
	"strings"

	"sockguard/rewrite/rawjson"

	"github.com/go-json-experiment/json/jsontext"
)

// defaultCapabilities are what every container has unless it drops them.
var defaultCapabilities = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
	"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// safeSysctls are namespaced and bounded: what Kubernetes calls the safe set,
// and the length of listen queues.
var safeSysctls = []string{
	"kernel.shm_rmid_forced", "net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_syncookies",
	"net.ipv6.conf.all.disable_ipv6",
}

// checkCapAdd reads capabilities as the engine does: in any case, with or
// without CAP_, one string or a list.
func checkCapAdd(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	caps, err := decodeList(path, v)
	if err != nil {
		return nil, err
	}
	for _, c := range caps {
		name := capability(c)
		granted := slices.ContainsFunc(d.Capabilities, func(g string) bool { return capability(g) == name })
		if !granted && !slices.Contains(defaultCapabilities, name) {
			return nil, denyField(path, quoted(c), "this capability reaches the host", "--allow-capability "+name)
		}
	}
	return rawjson.Encode(caps), nil
}

func capability(s string) string { return strings.TrimPrefix(strings.ToUpper(s), "CAP_") }

// decodeList reads a list of strings, for which one string may stand.
func decodeList(path string, v jsontext.Value) ([]string, error) {
	if v.Kind() == '"' {
		s, err := decode[string](path, v)
		return []string{s}, err
	}
	return decode[[]string](path, v)
}

// checkSecurityOpt permits no-new-privileges, in every spelling that turns it
// on, and what the operator granted.
func checkSecurityOpt(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	opts, err := decode[[]string](path, v)
	if err != nil {
		return nil, err
	}
	for _, opt := range opts {
		switch opt {
		case "no-new-privileges", "no-new-privileges=true", "no-new-privileges:true":
			continue
		}
		if !slices.Contains(d.SecurityOpts, opt) {
			return nil, denyField(path, quoted(opt), "it takes the confinement of a container away", "--allow-security-opt "+opt)
		}
	}
	return v, nil
}

// checkKernelPaths permits null only: an empty list uncovers everything.
func checkKernelPaths(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	if v.Kind() == 'n' {
		return v, nil
	}
	return nil, deny(path, "%s: a list of one's own, even an empty one, uncovers files of the kernel; remove it (--security-opt systempaths=unconfined sets it)", path)
}

// checkSysctls permits what stays in the container, and what the operator
// granted.
func checkSysctls(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	sysctls, err := decode[map[string]string](path, v)
	if err != nil {
		return nil, err
	}
	for name := range sysctls {
		key := strings.ReplaceAll(name, "/", ".")
		if !slices.Contains(safeSysctls, key) && !slices.Contains(d.Sysctls, key) {
			return nil, denyField(path, quoted(name), "it may reach beyond the container", "--allow-sysctl "+key)
		}
		d.netSysctl = d.netSysctl || strings.HasPrefix(key, "net.")
	}
	return v, nil
}

// checkRuntime permits the runtimes that the operator named. The default may be
// a stricter one than runc, so runc has to be named too.
func checkRuntime(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	runtime, err := decode[string](path, v)
	if err == nil && !slices.Contains(d.Runtimes, runtime) {
		err = denyField(path, quoted(runtime), "another runtime may confine less than the engine's default", "--allow-runtime "+runtime)
	}
	return v, err
}

// checkGroupAdd refuses more groups where the operator chose the user.
func checkGroupAdd(d *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	if d.ForceUser != "" {
		return nil, deny(path, "%s: the operator set the user of all containers, %s; remove it", path, d.ForceUser)
	}
	return v, nil
}
