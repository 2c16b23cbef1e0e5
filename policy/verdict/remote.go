package verdict

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode"
)

// A Remote is a build context that sockguard fetches in the engine's stead.
type Remote struct {
	URL *url.URL // http, https or git, without a fragment
	Git bool     // a repository, not a file
	// Ref and Subdir are the fragment #ref:subdir of a repository's URL.
	Ref, Subdir string
}

// String returns the address without what may be secret: user, password and
// query.
func (r *Remote) String() string {
	return (&url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path}).String()
}

// defaultRef is the branch that classic builders take, whatever the
// repository's own default is.
const defaultRef = "master"

// gitSuffix tells the URL of a repository from that of a file, as an engine
// does.
var gitSuffix = regexp.MustCompile(`\.git(?:#.+)?$`)

// ParseRemote reads remote=. It knows a repository by the engine's own signs.
func ParseRemote(text string) (*Remote, error) {
	web := strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://")
	r := &Remote{Git: web && gitSuffix.MatchString(text)}
	switch {
	case isSSH(text):
		return nil, denySSH()
	case strings.HasPrefix(text, "git://"):
		r.Git = true
	case strings.HasPrefix(text, "github.com/"):
		r.Git, text = true, "https://"+text
	case !web:
		return nil, Bad("remote", "a remote context is the URL of a file or of a git repository, https://host/x.tar.gz or https://host/x.git; write one, or send the context")
	}
	var err error
	if r.URL, err = parseRemoteURL(text); err != nil {
		return nil, err
	}
	if r.Git {
		r.Ref, r.Subdir, _ = strings.Cut(r.URL.Fragment, ":")
		if r.Ref == "" {
			r.Ref = defaultRef
		}
		if strings.HasPrefix(r.Ref, "-") {
			return nil, Bad("remote", "remote context %s: the ref %q begins with a dash, as no name of git's does; name a branch, a tag or a commit", r, r.Ref)
		}
	}
	r.URL.Fragment, r.URL.RawFragment = "", ""
	return r, nil
}

func isSSH(text string) bool {
	return strings.HasPrefix(text, "git@") || strings.HasPrefix(text, "ssh://")
}

func denySSH() error {
	return Deny("remote", "a remote context over ssh: sockguard has no keys; use the https:// URL of the repository, or clone it and build from the directory")
}

// ParseRemoteURL reads a URL. Its errors do not repeat it, for it may hold a
// password.
func parseRemoteURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || strings.ContainsFunc(u.Path, unicode.IsControl) {
		return nil, Bad("remote", "the URL of the remote context cannot be read; write https://host/path")
	}
	return u, nil
}

// Submodule returns the submodule of a repository that .gitmodules gives the
// URL text. A relative one is relative to the repository's own.
func (r *Remote) Submodule(text, commit string) (*Remote, error) {
	sub := &Remote{Git: true, Ref: commit}
	if strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") {
		u := *r.URL
		u.Path, u.RawPath = path.Join("/", u.Path, text), ""
		text = u.String()
	}
	if isSSH(text) || !strings.Contains(text, "://") && strings.Contains(text, ":") {
		return nil, denySSH()
	}
	var err error
	if sub.URL, err = parseRemoteURL(text); err != nil {
		return nil, err
	}
	switch sub.URL.Scheme {
	case "http", "https", "git":
		return sub, nil
	case "ssh", "git+ssh":
		return nil, denySSH()
	}
	return nil, Deny("remote", "a submodule of the remote context %s has a URL of the scheme %q; only https, http and git are fetched", r, sub.URL.Scheme)
}

// CheckRemote refuses a context from a host that is not granted.
func (g *Grants) CheckRemote(r *Remote) error {
	if host := r.URL.Hostname(); !g.Remotes.Host(host) {
		return Deny("remote", "build of the remote context %s: the engine would fetch it with the host's network and unseen, and sockguard fetches from hosts that the operator names; "+
			"clone or download it and build from the directory, or ask for --allow-remote %s", r, host)
	}
	return nil
}
