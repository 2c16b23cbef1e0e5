package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"

	"sockguard/policy/verdict"
)

const (
	gitPort    = "9418"
	gitService = "git-upload-pack"

	// maxAdvertised bounds the list of a repository's refs, which is read as a
	// stream: the largest hosts have some hundred thousand of 60 bytes.
	maxAdvertised = 64 << 20
)

// A gitServer is a conversation with a git server in version 0 of the protocol,
// which all speak: it lists its refs, is asked for one commit, sends a pack.
type gitServer struct {
	remote *verdict.Remote
	refs   io.ReadCloser
	ask    func(request []byte) (io.ReadCloser, error)

	caps  []string
	found [6]string // the ref, by the rule that names it
	known bool      // some ref is the commit that is asked for by its hash
}

// connect begins a conversation about the repository r.
func (f *remotes) connect(ctx context.Context, r *verdict.Remote) (*gitServer, error) {
	s := &gitServer{remote: r}
	if r.URL.Scheme == "git" {
		return s, f.connectTCP(ctx, s)
	}
	return s, f.connectHTTP(ctx, s)
}

func (f *remotes) connectTCP(ctx context.Context, s *gitServer) error {
	u := s.remote.URL
	port := u.Port()
	if port == "" {
		port = gitPort
	}
	c, err := f.dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return remoteError(s.remote, err, "cannot be fetched: %s", plainReason(err))
	}
	s.refs = &watchedConn{c, context.AfterFunc(ctx, func() { c.Close() })}
	s.ask = func(request []byte) (io.ReadCloser, error) {
		_, err := c.Write(request)
		return s.refs, err
	}
	if err := pktline.NewEncoder(c).EncodeString(fmt.Sprintf("%s %s\x00host=%s\x00", gitService, u.Path, u.Host)); err != nil {
		s.refs.Close()
		return remoteError(s.remote, err, "cannot be fetched: %s", plainReason(err))
	}
	return nil
}

// A watchedConn is closed when its context ends.
type watchedConn struct {
	net.Conn
	forget func() bool
}

func (c *watchedConn) Close() error {
	c.forget()
	return c.Conn.Close()
}

func (f *remotes) connectHTTP(ctx context.Context, s *gitServer) error {
	list := s.remote.URL.JoinPath("info/refs")
	list.RawQuery = "service=" + gitService
	resp, err := f.gitRequest(ctx, http.MethodGet, list.String(), "advertisement", nil)
	if err != nil {
		return err
	}
	s.refs = resp.Body
	// Where the list was redirected to, the pack is.
	at := resp.Request.URL.JoinPath("../../" + gitService)
	at.RawQuery = ""
	if at.Host == list.Host && at.Scheme == list.Scheme {
		at.User = list.User
	}
	s.ask = func(request []byte) (io.ReadCloser, error) {
		resp, err := f.gitRequest(ctx, http.MethodPost, at.String(), "result", request)
		if err != nil {
			return nil, err
		}
		return resp.Body, nil
	}
	return nil
}

// gitRequest makes a request whose answer must be of a type of git's own.
func (f *remotes) gitRequest(ctx context.Context, method, url, answer string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-"+gitService+"-request")
	}
	// Some hosts show browsers a page where they show git a repository.
	r.Header.Set("User-Agent", "git/2 (sockguard)")
	resp, err := f.do(r)
	if err != nil {
		return nil, err
	}
	if resp.Header.Get("Content-Type") != "application/x-"+gitService+"-"+answer {
		resp.Body.Close()
		return nil, remoteError(&verdict.Remote{URL: r.URL}, nil, "is not served by git's smart protocol; use the URL of a repository, or download an archive")
	}
	return resp, nil
}

// refNames are what a ref may be short for, first match first, as git fetch has it.
func refNames(ref string) [6]string {
	return [6]string{ref, "refs/" + ref, "refs/tags/" + ref, "refs/heads/" + ref, "refs/remotes/" + ref, "refs/remotes/" + ref + "/HEAD"}
}

// readRefs reads the list of refs and keeps what the remote's ref may mean.
func (s *gitServer) readRefs() error {
	lines := pktline.NewScanner(io.LimitReader(s.refs, maxAdvertised))
	names := refNames(s.remote.Ref)
	for first := true; lines.Scan(); {
		line := strings.TrimSuffix(string(lines.Bytes()), "\n")
		switch {
		case strings.HasPrefix(line, "# service="): // of HTTP, with a flush after it
			if lines.Scan() && len(lines.Bytes()) == 0 {
				continue
			}
			return s.garbled(lines.Err())
		case line == "":
			return nil
		case first:
			var caps string
			line, caps, _ = strings.Cut(line, "\x00")
			s.caps = strings.Fields(caps)
			first = false
		case strings.HasPrefix(line, "shallow "):
			continue
		}
		hash, name, ok := strings.Cut(line, " ")
		if !ok || !plumbing.IsHash(hash) {
			return s.garbled(nil)
		}
		s.known = s.known || hash == s.remote.Ref
		if i := slices.Index(names[:], name); i >= 0 {
			s.found[i] = hash
		}
	}
	return s.garbled(lines.Err())
}

// garbled is an answer that is not git's, or git's own error.
func (s *gitServer) garbled(err error) error {
	if e, ok := errors.AsType[*pktline.ErrorLine](err); ok {
		return remoteError(s.remote, nil, "cannot be fetched: its git server says %.200q", e.Text)
	}
	return remoteError(s.remote, err, "cannot be fetched: its server's answer is not one of git's")
}

func (s *gitServer) can(capability string) bool { return slices.Contains(s.caps, capability) }

// wanted returns the hash of the object to ask for.
func (s *gitServer) wanted() (string, error) {
	ref := s.remote.Ref
	i := slices.IndexFunc(s.found[:], func(hash string) bool { return hash != "" })
	switch {
	case plumbing.IsHash(ref) && !s.known && !s.can("allow-tip-sha1-in-want") && !s.can("allow-reachable-sha1-in-want"):
		return "", remoteError(s.remote, nil, "cannot be fetched at the commit %s: its server gives out branches and tags only; name one of them", ref)
	case i < 0 && !plumbing.IsHash(ref):
		return "", remoteError(s.remote, nil, "has no ref %.100q%s", ref, s.hint())
	case s.can("object-format=sha256"):
		return "", remoteError(s.remote, nil, "is a repository of SHA-256 objects, which is not supported; download an archive")
	case !s.can("side-band-64k"):
		return "", remoteError(s.remote, nil, "is served by a git server that is too old; download an archive")
	case plumbing.IsHash(ref):
		return ref, nil
	}
	return s.found[i], nil
}

// hint names the default branch, which is not what engines build by default.
func (s *gitServer) hint() string {
	for _, c := range s.caps {
		if head, ok := strings.CutPrefix(c, "symref=HEAD:refs/heads/"); ok {
			return fmt.Sprintf("; its default branch is %.100s, write #%.100s", head, head)
		}
	}
	return ""
}

// pack asks for the object hash with all that belongs to it, and without its
// past where the server can leave that out.
func (s *gitServer) pack(hash string) (io.ReadCloser, error) {
	var request bytes.Buffer
	e := pktline.NewEncoder(&request)
	use := []string{"agent=sockguard"}
	for _, c := range []string{"side-band-64k", "ofs-delta", "no-progress"} {
		if s.can(c) {
			use = append(use, c)
		}
	}
	lines := []string{"want " + hash + " " + strings.Join(use, " ") + "\n"}
	if s.can("shallow") {
		lines = append(lines, "deepen 1\n")
	}
	if err := e.EncodeString(append(lines, pktline.FlushString, "done\n")...); err != nil {
		return nil, err
	}
	answer, err := s.ask(request.Bytes())
	if err != nil {
		return nil, remoteError(s.remote, err, "cannot be fetched: %s", plainReason(err))
	}
	// Where the past was cut is said first, up to a flush; then NAK, for there is
	// nothing in common.
	in := pktline.NewScanner(answer)
	for in.Scan() {
		if line := in.Bytes(); bytes.HasPrefix(line, []byte("NAK")) {
			return readCloser{sideband.NewDemuxer(sideband.Sideband64k, answer), answer}, nil
		} else if len(line) > 0 && !bytes.HasPrefix(line, []byte("shallow ")) {
			break
		}
	}
	answer.Close()
	return nil, s.garbled(in.Err())
}
