package image

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"sockguard/policy/verdict"
)

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
