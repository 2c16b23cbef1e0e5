package image

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
)

// BuildParams are the parameters of POST /build that any engine reads.
const BuildParams = "dockerfile remote t q nocache rm forcerm pull memory memswap cpushares cpuperiod cpuquota " +
	"cpusetcpus cpusetmems cgroupparent networkmode shmsize ulimits buildargs labels cachefrom target platform " +
	"extrahosts securityopt isolation squash outputs session buildid version"

// Build decides POST /build for the classic builder. The engine gets a rewritten
// context and a rewritten Dockerfile.
func Build(c *verdict.Case) error {
	q := c.Out.Query
	if v := q.Get("version"); v != "" && v != "1" || q.Get("session") != "" || q.Get("buildid") != "" || q.Get("outputs") != "" {
		return verdict.Deny("buildkit", "docker build with BuildKit is not open through this socket yet; set DOCKER_BUILDKIT=0 to build with the classic builder")
	}
	for _, check := range []func(*verdict.Case) error{decideRemote, checkLabels, checkCgroup, limit, checkUlimits, checkNetwork, checkTags, checkCacheFrom} {
		if err := check(c); err != nil {
			return err
		}
	}
	args, err := checkArgs(c)
	if err != nil {
		return err
	}
	c.Out.Context = &buildcontext.Options{
		Dockerfile: q.Get("dockerfile"),
		MaxBytes:   c.MaxContextBytes,
		MaxEntries: c.MaxContextEntries,
		Rewrite: dockerfile.Options{
			Labels:    []rewrite.Label{{Key: c.LabelKey, Value: c.Owner}},
			Guarded:   []string{c.LabelKey},
			Engine:    c.Engine,
			BuildArgs: args,
			Target:    q.Get("target"),
			Image:     newBases(c).image,
		},
	}
	for _, unread := range []string{"version", "session", "buildid", "outputs", "remote", "securityopt"} {
		q.Del(unread)
	}
	q.Set("dockerfile", buildcontext.DockerfileName)
	q.Set("rm", "1")
	q.Set("forcerm", "1")
	return nil
}

// decideRemote decides remote=, the URL of a build context.
func decideRemote(c *verdict.Case) (err error) {
	text := c.Query.Get("remote")
	if text == "" {
		return nil
	}
	if c.Out.Remote, err = parseRemote(text); err != nil {
		return err
	}
	return c.CheckRemote(c.Out.Remote)
}

// gitURL matches what an engine takes for the URL of a git repository.
var gitURL = regexp.MustCompile(`^(git://|git@|ssh://|github\.com/)|^https?://.*\.git(#.+)?$`)

// parseRemote reads remote=. Its errors do not repeat the URL, which may hold a
// password.
func parseRemote(text string) (*verdict.Remote, error) {
	if gitURL.MatchString(text) {
		return nil, verdict.Deny("remote", "the remote context is a git repository, which sockguard does not fetch; "+
			"send its files: git archive --remote=URL HEAD | docker build -, or clone it and build from the directory")
	}
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		return nil, verdict.Bad("remote", "a remote context is the URL of an archive or a Dockerfile, https://host/x.tar.gz; write one, or send the context")
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.ContainsFunc(u.Path, unicode.IsControl) {
		return nil, verdict.Bad("remote", "the URL of the remote context cannot be read; write https://host/path")
	}
	u.Fragment, u.RawFragment = "", ""
	return &verdict.Remote{URL: u}, nil
}
