package policy

import (
	"io/fs"
	"syscall"
	"testing"

	"sockguard/policy/verdict"
)

// links are the files of a host: path to target, "" for a file that is no symlink.
func links(files map[string]string) func(string) (string, error) {
	return func(path string) (string, error) {
		target, ok := files[path]
		switch {
		case !ok:
			return "", fs.ErrNotExist
		case target == "":
			return "", syscall.EINVAL
		case target == "denied":
			return "", fs.ErrPermission
		}
		return target, nil
	}
}

func TestBinds(t *testing.T) {
	p := verdict.Policy{Grants: verdict.Grants{
		Binds: []verdict.BindGrant{{Path: "/srv/ci"}, {Path: "/cache", ReadOnly: true}, {Path: "/alias"}, {Path: "/var"}, {Path: "/opt/deep/dir"}},
		Readlink: links(map[string]string{
			"/srv": "", "/srv/ci": "", "/srv/ci/out": "/etc", "/srv/ci/dangling": "/etc/new", "/srv/ci/up": "../../cache/x",
			"/srv/ci/loop": "loop", "/srv/ci/shut": "denied", "/srv/ci/in": "src", "/srv/ci/src": "",
			"/cache": "", "/cache/x": "", "/alias": "/mnt/real", "/mnt": "", "/mnt/real": "", "/mnt/real/f": "",
			"/var": "", "/var/run": "/run", "/run": "", "/run/docker.sock": "", "/var/lib": "", "/etc": "",
			"/srv/ci/sock": "/run/docker.sock", "/opt": "", "/opt/deep": "",
		}),
	}}
	guarded := p
	guarded.GuardSocket = "/run/guard.sock"
	bind := func(s string) string { return host(`"Binds":["` + s + `"]`) }
	testVerdicts(t, "POST", createURL, []verdictVector{
		{name: "granted", policy: p, body: bind("/srv/ci:/x")},
		{name: "below", policy: p, body: bind("/srv/ci/a/b:/x:rw,z")},
		{name: "symlink that stays inside", policy: p, body: bind("/srv/ci/in:/x")},
		{name: "not granted", policy: p, body: bind("/etc:/x"), want: "HostConfig.Binds: bind mount of /etc: it is outside the allowed paths; ask the operator for --allow-bind /etc"},
		{name: "same letters, other directory", policy: p, body: bind("/srv/ci-other:/x"), want: "outside the allowed paths"},
		{name: "above", policy: p, body: bind("/srv:/x"), want: "outside"},
		{name: "dots", policy: p, body: bind("/srv/ci/../../etc:/x"), want: "bind mount of /etc"},
		{name: "double slash", policy: p, body: bind("//etc:/x"), want: "bind mount of /etc"},
		{name: "symlink out", policy: p, body: bind("/srv/ci/out/passwd:/x"), want: "/srv/ci/out/passwd, which leads to /etc/passwd: it is outside"},
		{name: "symlink to what is yet to be made", policy: p, body: bind("/srv/ci/dangling:/x"), want: "which leads to /etc/new"},
		{name: "symlink to what may only be read", policy: p, body: bind("/srv/ci/up:/x"), want: "which leads to /cache/x: it is open for reading only"},
		{name: "symlink read-only", policy: p, body: bind("/srv/ci/up:/x:ro")},
		{name: "loop", policy: p, body: bind("/srv/ci/loop:/x"), want: "cannot be seen"},
		{name: "what cannot be seen", policy: p, body: bind("/srv/ci/shut:/x"), want: "cannot be seen"},
		{name: "grant through a symlink", policy: p, body: bind("/alias/f:/x")},
		{name: "read-write of a read-only grant", policy: p, body: bind("/cache:/x"), want: "mount it read-only (/cache:/path:ro)"},
		{name: "read-only", policy: p, body: bind("/cache:/x:ro")},
		{name: "shared propagation", policy: p, body: bind("/srv/ci:/x:rshared"), want: "use rslave"},
		{name: "slave propagation", policy: p, body: bind("/srv/ci:/x:rslave,ro")},
		{name: "unknown option", policy: p, body: bind("/srv/ci:/x:exec"), want: "no option of a bind"},
		{name: "too many colons", policy: p, body: bind("/srv/ci:/x:ro:rw"), want: "not of the form"},
		{name: "no source", policy: p, body: bind(":/x"), want: "not of the form"},
		{name: "relative source", policy: p, body: bind("../etc:/x"), want: "no name for a volume"},
		{name: "engine's socket", policy: p, body: bind("/var/run/docker.sock:/x"), want: "the engine's own socket"},
		{name: "engine's socket by symlink", policy: p, body: bind("/srv/ci/sock:/x"), want: "the engine's own socket"},
		{name: "guarded socket instead", policy: guarded, body: bind("/srv/ci/sock:/x")},
		{name: "guarded socket itself", policy: guarded, body: bind("/run/guard.sock:/x")},
		{name: "directory of the engine's socket", policy: guarded, body: bind("/var/run:/x"), want: "it holds the engine's socket"},
		{name: "directory above it", policy: guarded, body: bind("/var:/x"), want: "it holds the engine's socket"},
		{name: "beside it", policy: guarded, body: bind("/var/lib:/x")},
		{name: "mount", policy: p, body: host(`"Mounts":[{"Type":"bind","Source":"/srv/ci/out","Target":"/x"}]`), want: "leads to /etc"},
		{name: "relative mount", policy: p, body: host(`"Mounts":[{"Type":"bind","Source":"srv/ci","Target":"/x"}]`), want: "no absolute path"},
		{name: "mount's propagation", policy: p, body: host(`"Mounts":[{"Type":"bind","Source":"/srv/ci","Target":"/x","BindOptions":{"Propagation":"shared"}}]`), want: "spread to the host"},
		{name: "mount read-only", policy: p, body: host(`"Mounts":[{"Type":"bind","Source":"/cache","Target":"/x","ReadOnly":true}]`)},
		{name: "pipe", policy: p, body: host(`"Mounts":[{"Type":"npipe","Source":"x","Target":"/x"}]`), want: "mounts of this type"},
		{name: "no type", policy: p, body: host(`"Mounts":[{"Source":"/etc","Target":"/x"}]`), want: "mounts of this type"},
		{name: "nothing granted", body: bind("/srv/ci:/x"), want: "outside the allowed paths"},
	})
}

// A start is refused if a symlink was changed after the create.
func TestStartJudgesBindsAgain(t *testing.T) {
	in := inventory()
	for name, bind := range map[string]verdict.Bind{
		"in": {Source: "/srv/ci/in"}, "out": {Source: "/srv/ci/out"}, "up": {Source: "/srv/ci/up"}, "ro": {Source: "/srv/ci/up", ReadOnly: true},
	} {
		in[verdict.Container][name] = verdict.Object{ID: hexID("4"), Name: name, Labels: mine, Binds: []verdict.Bind{bind}}
	}
	p := verdict.Policy{Grants: verdict.Grants{
		Binds:    []verdict.BindGrant{{Path: "/srv/ci"}, {Path: "/cache", ReadOnly: true}},
		Readlink: links(map[string]string{"/srv": "", "/srv/ci": "", "/srv/ci/in": "", "/srv/ci/out": "/etc", "/srv/ci/up": "/cache", "/cache": "", "/etc": ""}),
	}}
	for name, pass := range map[string]bool{"in": true, "out": false, "up": false, "ro": true} {
		in := objects{verdict.Container: {name: in[verdict.Container][name]}}
		if _, err := decideOn(p, in, "POST", "/containers/"+name+"/start", ""); (err == nil) != pass {
			t.Errorf("%s: got %v, want pass %v", name, err, pass)
		}
	}
}
